package files

import (
	"errors"
	"strings"
	"testing"

	"golang.org/x/text/encoding/unicode"

	"github.com/datong-dx/datong/connectors"
)

func TestAFileThatIsNoTextStopsTheSource(t *testing.T) {
	utf16 := func(order unicode.Endianness, text string) string {
		out, err := unicode.UTF16(order, unicode.IgnoreBOM).NewEncoder().String(text)
		if err != nil {
			t.Fatal(err)
		}
		return out
	}
	rows := "a,b\n1,北京市东城区东华门街道\n"
	for _, c := range []struct {
		name, content, encoding string
		want                    string // of the problem; else a row that is read
	}{
		{"a workbook", "PK\x03\x04\x14\x00\x06\x00", "utf-8", "this is an Excel workbook (.xlsx) or a ZIP archive, not text"},
		{"an old workbook", "\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1\x00", "utf-8", "this is an old Office file such as .xls, not text"},
		{"gzip", "\x1f\x8b\x08\x00", "gbk", "this is a gzip file, not text"},
		{"a web page", "\ufeff\r\n <HTML><body>", "utf-8", "this is a web page (HTML) or XML"},
		{"zero bytes", strings.Repeat("\x00", 4096), "utf-8", "the file holds next to nothing but zero bytes"},
		{"GBK declared as UTF-8", gbk(rows), "utf-8", "declared as utf-8, but the file looks like GB 18030 (GBK)"},
		{"UTF-8 declared as GBK", rows + rows, "gbk", "declared as GB 18030 (GBK), but the file is UTF-8"},
		{"UTF-16 declared as UTF-8", utf16(unicode.LittleEndian, rows+rows), "utf-8", "declared as utf-8, but the file looks like UTF-16"},
		{"UTF-16 with the high byte first and auto", utf16(unicode.BigEndian, rows+rows), "auto", "but the file looks like UTF-16"},
		{"UTF-16 with the high byte first, declared", utf16(unicode.BigEndian, rows), "utf-16", "2 a=1 b=北京市东城区东华门街道"},
		{"UTF-16 with the low byte first, declared", utf16(unicode.LittleEndian, rows), "utf-16", "2 a=1 b=北京市东城区东华门街道"},
		{"one row of another encoding", "a,b\n" + strings.Repeat("1,北京市东城区东华门街道\n", 3) + gbk("2,北京市东城区东华门街道\n"), "utf-8", "2 a=1 b=北京市东城区东华门街道"},
		{"a few zero bytes", "a,b\n1,x\x00y\n2,\x00\x00\n" + strings.Repeat("3,z\n", 40), "utf-8", "2 a=1 b=x\x00y"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExchange(t)
			e.file("a.csv", c.content)
			got := e.read(nil, map[string]any{"path": "in/a.csv", "encoding": c.encoding})
			if len(got.rows) > 0 {
				if got.rows[0] != c.want {
					t.Errorf("the first row is %q, want %q", got.rows[0], c.want)
				}
				return
			}
			if !errors.Is(got.err, connectors.ErrStop) || !strings.Contains(got.err.Error(), c.want) {
				t.Errorf("got error %v, want %s", got.err, c.want)
			}
		})
	}
}
