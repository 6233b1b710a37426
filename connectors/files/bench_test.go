package files

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/datong-dx/datong/connectors"
)

const benchRows = 200_000

// registerGB18030 makes a register of invented enterprises: 12 columns, some 150 bytes a row in GB 18030.
func registerGB18030(b *testing.B) []byte {
	b.Helper()
	var buf bytes.Buffer
	buf.WriteString("TYSHXYDM,QYMC,QYLX,FDDBR,ZCZB,BZ,CLRQ,JYQX,YWZT,XZQH,DJJG,DZ\n")
	for i := range benchRows {
		fmt.Fprintf(&buf, "91999999MA%08d,虚构市第%d号测试贸易有限公司,1130,张三,%d.50,万元,2018-04-%02d,长期,存续,999%03d,虚构市市场监督管理局,虚构路%d号\n",
			i, i, i%5000, i%28+1, i%1000, i%999)
	}
	content, err := simplifiedchinese.GB18030.NewEncoder().Bytes(buf.Bytes())
	if err != nil {
		b.Fatal(err)
	}
	return content
}

// report gives rows per second, and bytes through SetBytes.
func report(b *testing.B) {
	b.ReportMetric(float64(benchRows)*float64(b.N)/b.Elapsed().Seconds(), "rows/s")
}

// BenchmarkReadGB18030 reads a file through the source: digest, lines, decoding, splitting, batches.
func BenchmarkReadGB18030(b *testing.B) {
	content := registerGB18030(b)
	dir := b.TempDir()
	if err := os.WriteFile(filepath.Join(dir, "register.csv"), content, 0o644); err != nil {
		b.Fatal(err)
	}
	settings := settingsOf(b, map[string]any{"path": "register.csv", "encoding": "gbk"})
	b.SetBytes(int64(len(content)))
	b.ReportAllocs()
	for b.Loop() {
		src, err := open(connectors.SourceRequest{Settings: settings, Dir: dir}, batchRows)
		if err != nil {
			b.Fatal(err)
		}
		if n := countRows(b, src); n != benchRows {
			b.Fatalf("%d rows", n)
		}
		src.Close()
	}
	report(b)
}

func countRows(b *testing.B, src connectors.Source) (n int) {
	for {
		batch, err := src.Read(b.Context())
		if errors.Is(err, io.EOF) {
			return n
		}
		if err != nil {
			b.Fatal(err)
		}
		for i := range batch.Rows {
			if batch.Rows[i].Err != nil {
				b.Fatal(batch.Rows[i].Err)
			}
		}
		n += len(batch.Rows)
		batch.Release()
	}
}

// BenchmarkDecodeSplit is the limit that reading is measured against: the same bytes in memory, decoded and split and
// nothing kept.
func BenchmarkDecodeSplit(b *testing.B) {
	content := registerGB18030(b)
	for _, d := range []struct {
		name   string
		decode decode
	}{
		{"table", decodeGB18030},
		{"x-text", func(dst, src []byte) ([]byte, bool) {
			n, _, err := gbDecoder.Transform(dst[:cap(dst)], src, true)
			return dst[:n], err == nil
		}},
	} {
		b.Run(d.name, func(b *testing.B) {
			b.SetBytes(int64(len(content)))
			scratch := make([]byte, 0, 4096)
			for b.Loop() {
				fields := 0
				for rest := content; len(rest) > 0; {
					var line []byte
					line, rest, _ = bytes.Cut(rest, []byte{'\n'})
					scratch, _ = d.decode(scratch[:0], line)
					for text, more := scratch, true; more; fields++ {
						_, text, more = bytes.Cut(text, []byte{','})
					}
				}
				if fields != 12*(benchRows+1) {
					b.Fatalf("%d fields", fields)
				}
			}
			report(b)
		})
	}
}
