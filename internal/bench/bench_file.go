package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/connectors/files"
)

// leastFileRows is what a GB 18030 CSV must reach whatever decoding alone reaches.
const leastFileRows = 300_000

var fileSettings = map[string]string{"path": "register.csv", "encoding": "gb18030"}

// benchFile reads a GB 18030 CSV file to its standard topic, beside decoding and splitting the same file.
func benchFile(ctx context.Context, s *session) ([]figure, error) {
	n := s.size(1_000_000, 100_000)
	content, err := s.writeFile(fileSettings["path"], n)
	if err != nil {
		return nil, err
	}
	return s.repeat(func(round int) ([]figure, error) {
		split, err := decodeAndSplit(content, n)
		if err != nil {
			return nil, err
		}
		cut, err := decodeAndCut(content, n)
		if err != nil {
			return nil, err
		}
		source, err := s.readFile(ctx, n)
		if err != nil {
			return nil, err
		}
		prefix := fmt.Sprintf("%s-file-%d", s.name, round)
		d, err := s.spawn(ctx, job{Prefix: prefix, Connector: "files", Dir: s.dir, Settings: fileSettings})
		if err != nil {
			return nil, err
		}
		if d.Status.Published != int64(n) {
			return nil, fmt.Errorf("published %d of %d rows", d.Status.Published, n)
		}
		published := perSecond(n, d.Pipeline)
		return []figure{
			{"csv_gb18030_to_topic_rows_per_s", published, split, atLeast(0.40), "the same file decoded by golang.org/x/text and split by encoding/csv, in memory"},
			{"csv_gb18030_to_topic_beside_cut_rows_per_s", published, cut, atLeast(0), "the same, but cut at every comma, quoted or not"},
			{"csv_gb18030_to_topic_beside_connector_rows_per_s", published, source, atLeast(0), "the files connector alone, which decodes faster than golang.org/x/text"},
			{"csv_gb18030_to_topic_beside_least_rows_per_s", published, leastFileRows, atLeast(1), "300,000 records a second"},
		}, s.deleteTopics(ctx, prefix)
	})
}

// decodeAndSplit is the limit of reading a file: its text is decoded, and its records split as CSV is, in which a comma
// may stand inside quotes.
func decodeAndSplit(content []byte, rows int) (float64, error) {
	start := time.Now()
	r := csv.NewReader(simplifiedchinese.GB18030.NewDecoder().Reader(bytes.NewReader(content)))
	r.ReuseRecord = true
	n := -1 // the header
	for {
		_, err := r.Read()
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, fmt.Errorf("split the file: %w", err)
		}
		n++
	}
	if n != rows {
		return 0, fmt.Errorf("split %d of %d rows", n, rows)
	}
	return perSecond(n, time.Since(start)), nil
}

// decodeAndCut decodes the text and cuts it at every comma, which is right only because no value of this file has one.
func decodeAndCut(content []byte, rows int) (float64, error) {
	start := time.Now()
	decoder := simplifiedchinese.GB18030.NewDecoder()
	fields, text := 0, make([]byte, 64<<10)
	for rest := content; len(rest) > 0; {
		var line []byte
		line, rest, _ = bytes.Cut(rest, []byte{'\n'})
		n, _, err := decoder.Transform(text, line, true)
		if err != nil {
			return 0, fmt.Errorf("decode a line: %w", err)
		}
		for left, more := text[:n], true; more; fields++ {
			_, left, more = bytes.Cut(left, []byte{','})
		}
	}
	if fields != (rows+1)*len(columns) {
		return 0, fmt.Errorf("cut the file into %d fields", fields)
	}
	return perSecond(rows, time.Since(start)), nil
}

// readFile reads the file through its connector and lets the rows go.
func (s *session) readFile(ctx context.Context, want int) (float64, error) {
	connector := files.Connector()
	set, err := settings(connector.SourceOptions, fileSettings)
	if err != nil {
		return 0, err
	}
	start := time.Now()
	source, err := connector.OpenSource(ctx, connectors.SourceRequest{Settings: set, Dir: s.dir, Log: slog.New(slog.DiscardHandler)})
	if err != nil {
		return 0, err
	}
	defer source.Close()
	n := 0
	for {
		b, err := source.Read(ctx)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return 0, err
		}
		n += len(b.Rows)
		b.Release()
	}
	if n != want {
		return 0, fmt.Errorf("read %d of %d rows", n, want)
	}
	return perSecond(n, time.Since(start)), nil
}
