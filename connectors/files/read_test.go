package files

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/datong-dx/datong/connectors"
)

// exchange is a directory with a drop folder `in`.
type exchange struct {
	testing.TB
	dir string
}

func newExchange(t testing.TB) *exchange {
	t.Helper()
	e := &exchange{t, t.TempDir()}
	if err := os.Mkdir(filepath.Join(e.dir, "in"), 0o755); err != nil {
		t.Fatal(err)
	}
	return e
}

func (e *exchange) file(name, content string) {
	e.Helper()
	writeFile(e, filepath.Join(e.dir, "in", name), []byte(content))
}

func (e *exchange) open(pos connectors.Position, changed map[string]any) *Source {
	e.Helper()
	src, err := open(connectors.SourceRequest{Settings: settingsOf(e, changed), Position: pos, Dir: e.dir}, 3)
	if err != nil {
		e.Fatalf("open: %v", err)
	}
	e.Cleanup(func() { src.Close() })
	return src
}

// told is what a reading told: rows and scans as text, the last position, and the error that ended it (nil for io.EOF).
type told struct {
	rows []string
	pos  connectors.Position
	err  error
}

func (e *exchange) read(pos connectors.Position, changed map[string]any) told {
	e.Helper()
	return readAll(e, e.open(pos, changed))
}

func readAll(t testing.TB, src *Source) told {
	t.Helper()
	var all told
	for {
		b, err := src.Read(t.Context())
		if errors.Is(err, io.EOF) {
			return all
		}
		if err != nil {
			all.err = err
			return all
		}
		if b.Begin != nil {
			all.rows = append(all.rows, "begin "+b.Begin.Set)
		}
		for i := range b.Rows {
			all.rows = append(all.rows, rowString(&b.Rows[i]))
		}
		if b.End != nil {
			all.rows = append(all.rows, "end "+b.End.Set)
		}
		all.pos = b.Position
		b.Release()
	}
}

// rowString renders a row as LINE name=value …, with the kind of what is not text, or its error.
func rowString(r *connectors.Row) string {
	var s strings.Builder
	fmt.Fprintf(&s, "%d", r.Line)
	if r.Op != connectors.OpUpsert && r.Op != connectors.OpSnapshot {
		fmt.Fprintf(&s, " %s", r.Op)
	}
	if r.Err != nil {
		fmt.Fprintf(&s, " ERROR %s", r.Err.What.En)
		return s.String()
	}
	for i, v := range r.Values {
		switch v.Kind() {
		case connectors.KindAbsent:
		case connectors.KindText:
			fmt.Fprintf(&s, " %s=%s", r.Table.Columns[i].Name, v.Bytes())
		default:
			fmt.Fprintf(&s, " %s=%s:%s", r.Table.Columns[i].Name, v.Kind(), v.AppendText(nil))
		}
	}
	return s.String()
}

func gbk(s string) string {
	out, err := simplifiedchinese.GB18030.NewEncoder().String(s)
	if err != nil {
		panic(err)
	}
	return out
}

func TestReadsFilesAsDepartmentsWriteThem(t *testing.T) {
	tsv := map[string]any{"format": "tsv"}
	for _, c := range []struct {
		name, file, content string
		settings            map[string]any
		want                []string
	}{
		{"plain", "a.csv", "code,name\n110101,东城区\n", nil, []string{"2 code=110101 name=东城区"}},
		{"no line break at the end", "a.csv", "a,b\n1,2", nil, []string{"2 a=1 b=2"}},
		{"CRLF", "a.csv", "a,b\r\n1,2\r\n", nil, []string{"2 a=1 b=2"}},
		{"a byte-order mark", "a.csv", "\ufeffa,b\n1,2\n", nil, []string{"2 a=1 b=2"}},
		{"a byte-order mark wins over gbk", "a.csv", "\ufeffa,b\n东,2\n", map[string]any{"encoding": "gbk"}, []string{"2 a=东 b=2"}},
		{"quotes, delimiters and line breaks inside quotes", "a.csv", "a,b\n\"x, \"\"y\"\"\",\"一\r\n二\n三\"\n3,4\n", nil,
			[]string{"2 a=x, \"y\" b=一\n二\n三", "5 a=3 b=4"}},
		{"empty and quoted empty", "a.csv", "a,b,c\n,\"\",\n", nil, []string{"2 a= b= c="}},
		{"blank lines", "a.csv", "\n\na,b\n\n1,2\n  \n3,4\n\n", nil, []string{"5 a=1 b=2", "7 a=3 b=4"}},
		{"too few and too many fields", "a.csv", "a,b\n1\n1,2,3\n1,2\n", nil,
			[]string{"2 ERROR the row has 1 field, not 2", "3 ERROR the row has 3 fields, not 2", "4 a=1 b=2"}},
		{"too many fields, quoted", "a.csv", "a,b\n\"1\",2,3\n", nil, []string{"2 ERROR the row has 3 fields, not 2"}},
		{"a bare quote costs its line only", "a.csv", "a,b\n1,5\" pipe\n2,x\n", nil,
			[]string{"2 ERROR a quote is misplaced or never closed", "3 a=2 b=x"}},
		{"a quote followed by junk", "a.csv", "a,b\n\"1\"x,2\n2,x\n", nil,
			[]string{"2 ERROR a quote is misplaced or never closed", "3 a=2 b=x"}},
		{"a quote that is never closed costs its line only", "a.csv", "a,b\n1,\"open\n2,x\n3,y\n", nil,
			[]string{"2 ERROR a quote is misplaced or never closed", "3 a=2 b=x", "4 a=3 b=y"}},
		{"gbk", "a.csv", gbk("编码,名称\n1,东城区㐀😀€\n"), map[string]any{"encoding": "gb2312"}, []string{"2 编码=1 名称=东城区㐀😀€"}},
		{"a cut character costs its row only", "a.csv", gbk("a,b\n1,东") + "\xb6\n" + gbk("2,西\n"), map[string]any{"encoding": "gbk"},
			[]string{"2 ERROR a character cannot be decoded as gb18030", "3 a=2 b=西"}},
		{"a byte that is not UTF-8 costs its row only", "a.csv", "a,b\n1,\xff\n2,x\n", nil,
			[]string{"2 ERROR a character cannot be decoded as utf-8", "3 a=2 b=x"}},
		{"a character lost before us", "a.csv", "a,b\n1,\ufffd\n", nil, []string{"2 ERROR a character cannot be decoded as utf-8"}},
		{"a bad character inside quoted lines", "a.csv", "a,b\n1,\"x\n\xff\"\n2,y\n", nil,
			[]string{"2 ERROR a character cannot be decoded as utf-8", "4 a=2 b=y"}},
		{"auto finds GBK behind a long ASCII head", "a.csv", "a,b\n" + strings.Repeat("1,2\n", 3) + gbk("1,东\n"), map[string]any{"encoding": "auto"},
			[]string{"2 a=1 b=2", "3 a=1 b=2", "4 a=1 b=2", "5 a=1 b=东"}},
		{"auto finds UTF-8", "a.csv", "a,b\n1,东\n", map[string]any{"encoding": "auto"}, []string{"2 a=1 b=东"}},
		{"tabs under the name .csv", "a.csv", "a\tb\n1\t2\n", nil, []string{"2 a=1 b=2"}},
		{"tsv with commas", "a.tsv", "a\tb\n1,5\t2\n", nil, []string{"2 a=1,5 b=2"}},
		{"format set", "a.txt", "a\tb\n1\t2\n", tsv, []string{"2 a=1 b=2"}},
		{"a trail byte that looks like the delimiter", "a.csv", gbk("a|b\n讀|2\n"), map[string]any{"encoding": "gbk", "delimiter": "|"}, []string{"2 a=讀 b=2"}},
		{"no header", "a.csv", "1,2\n3,4\n", map[string]any{"header": []string{"none"}}, []string{"1 F1=1 F2=2", "2 F1=3 F2=4"}},
		{"names given", "a.csv", "1,2\n", map[string]any{"header": []string{"code", "name"}}, []string{"1 code=1 name=2"}},
		{"title rows above the header", "a.csv", "企业名录\n2018年\na,b\n1,2\n", map[string]any{"skip_rows": int64(2)}, []string{"4 a=1 b=2"}},
		{"nameless and repeated columns", "a.csv", "a,,a,F2\n1,2,3,4\n", nil, []string{"2 a=1 F2_2=2 a_2=3 F2=4"}},
		{"a header over two lines", "a.csv", "\"a\nb\",c\n1,2\n", nil, []string{"3 a b=1 c=2"}},
		{"columns renamed", "a.csv", "企业名称（全称）,b\n1,2\n", map[string]any{"columns": map[string]string{"企业名称（全称）": "QYMC"}}, []string{"2 QYMC=1 b=2"}},
		{"operations", "a.csv", "id,op\n1,新增\n2,删除\n3,?\n", map[string]any{"op_column": "op", "ops": map[string]string{"新增": "insert", "删除": "delete"}},
			[]string{"2 insert id=1 op=新增", "3 delete id=2 op=删除", "4 ERROR ops does not list the value of column op"}},
		{"only a header", "a.csv", "a,b\n", nil, nil},
		{"nothing at all", "a.csv", "", nil, nil},
		{"a row that is too long", "a.csv", "a,b\n1," + strings.Repeat("x", 5000) + "\n2,y\n", map[string]any{"max_row_bytes": int64(1024)},
			[]string{"2 ERROR the row is longer than 1024 bytes", "3 a=2 b=y"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExchange(t)
			e.file(c.file, c.content)
			settings := map[string]any{"path": "in/" + c.file}
			for k, v := range c.settings {
				settings[k] = v
			}
			got := e.read(nil, settings)
			if diff := cmp.Diff(c.want, got.rows); diff != "" || got.err != nil {
				t.Errorf("error %v (-want +got):\n%s", got.err, diff)
			}
		})
	}
}

func TestReadsJSON(t *testing.T) {
	for _, c := range []struct {
		name, file, path, content string
		want                      []string
	}{
		{"an array", "a.json", "", `[{"a":1,"b":"x"},{"a":2,"b":"y"}]`, []string{"1 a=int:1 b=x", "1 a=int:2 b=y"}},
		{"one object", "a.json", "", "\n{\"a\":1}", []string{"2 a=int:1"}},
		{"objects one after the other", "a.json", "", "{\"a\":1}\n{\"a\":2}", []string{"1 a=int:1", "2 a=int:2"}},
		{"kinds", "a.json", "", `{"i":9223372036854775807,"big":9223372036854775808,"d":1.50,"e":1.5e3,"s":-2E-2,"t":true,"n":null,"o":{"x":[1]},"l":[1, 2]}`,
			[]string{`1 i=int:9223372036854775807 big=decimal:9223372036854775808 d=decimal:1.50 e=decimal:1500 s=decimal:-0.02 t=bool:true n=null: o=json:{"x":[1]} l=json:[1, 2]`}},
		{"an absurd exponent stays text", "a.json", "", `{"e":1e400}`, []string{"1 e=1e400"}},
		{"escapes", "a.json", "", `{"a":"\u4e2d\ud83d\ude00\"\\\/\n","\u0062":"x"}`, []string{"1 a=中😀\"\\/\n b=x"}},
		{"half a pair", "a.json", "", `[{"a":"\ud83d"},{"a":"x"}]`, []string{`1 ERROR a character cannot be decoded: half of a \u pair`, "1 a=x"}},
		{"missing and new fields", "a.json", "", `[{"a":1},{"b":2},{"b":3,"a":4}]`, []string{"1 a=int:1", "1 b=int:2", "1 a=int:4 b=int:3"}},
		{"a path", "a.json", "data.items", `{"code":0,"data":{"items":[{"a":1}],"total":1}}`, []string{"1 parent.parent.code=int:0 a=int:1"}},
		{"nested arrays with what contains them", "a.json", "items.subs", `[{"dept":"发改","items":[{"main":"m","subs":[{"n":1},{"n":2}]}]},{"dept":"税务","items":[{"main":"k","subs":[{"n":3}]}]}]`,
			[]string{"1 parent.main=m parent.parent.dept=发改 n=int:1", "1 parent.main=m parent.parent.dept=发改 n=int:2", "1 parent.main=k parent.parent.dept=税务 n=int:3"}},
		{"entries of a map", "a.json", "*", `{"110000":"北京市","110101":"东城区"}`, []string{"1 key=110000 value=北京市", "1 key=110101 value=东城区"}},
		{"entries of maps with lists", "a.json", "*.*", `{"香港":{"香港岛":["中西区","湾仔区"]}}`,
			[]string{"1 key=香港岛 parent.key=香港 value=中西区", "1 key=香港岛 parent.key=香港 value=湾仔区"}},
		{"a null where the path goes on", "a.json", "a.b", `[{"a":null},{"a":{"b":[{"c":1}]}}]`, []string{"1 c=int:1"}},
		{"an empty list", "a.json", "a", `{"a":[]}`, nil},
		{"a bad record costs itself only", "a.json", "", "[{\"a\":1},\n{\"a\":tru},\n{\"a\":3}]", []string{"1 a=int:1", "2 ERROR the record is not valid JSON", "3 a=int:3"}},
		{"cut off inside a record", "a.json", "", `[{"a":1},{"a":`, []string{"1 a=int:1", "1 ERROR from line 1 on this is not valid JSON; the rest was not read"}},
		{"cut off between records", "a.json", "", `[{"a":1},`, []string{"1 a=int:1", "1 ERROR from line 1 on this is not valid JSON; the rest was not read"}},
		{"something else", "a.json", "", `a,b`, []string{"1 ERROR from line 1 on this is not valid JSON; the rest was not read"}},
		{"no records at all", "a.json", "", "null", nil},
		{"lines", "a.jsonl", "", "{\"a\":1}\n\n{\"a\":}\n{\"a\":3}", []string{"1 a=int:1", "3 ERROR the record is not valid JSON", "4 a=int:3"}},
		{"a lost character", "a.jsonl", "", "{\"a\":\"\xff\"}\n{\"a\":3}", []string{"1 ERROR a character cannot be decoded as utf-8", "2 a=int:3"}},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExchange(t)
			e.file(c.file, c.content)
			got := e.read(nil, map[string]any{"path": "in/" + c.file, "record_path": c.path})
			if diff := cmp.Diff(c.want, got.rows); diff != "" || got.err != nil {
				t.Errorf("error %v (-want +got):\n%s", got.err, diff)
			}
		})
	}
}

func TestStopsWithACure(t *testing.T) {
	for _, c := range []struct {
		name, file, content string
		settings            map[string]any
		want                string
	}{
		{"key missing from the header", "a.csv", "a,b\n1,2\n", map[string]any{"key": []string{"code"}}, "in/a.csv: key names column code, which is not in the header"},
		{"header undecodable", "a.csv", gbk("编码,名称\n1,2\n"), nil, "in/a.csv: the header cannot be read"},
		{"UTF-8 declared as GBK", "a.csv", "编码,名称\n1,虚构市市场监督管理局登记注册科\n", map[string]any{"encoding": "gbk"}, "declared as GB 18030 (GBK), but the file is UTF-8"},
		{"two columns of one name", "a.csv", "a,b\n1,2\n", map[string]any{"columns": map[string]string{"a": "b"}}, "two columns are called b"},
		{"record path not found", "a.json", `{"rows":[]}`, map[string]any{"record_path": "data.items"}, "record_path data.items is not in the file"},
		{"a full JSON file cut off", "a.json", `[{"a":1},`, map[string]any{"mode": "full"}, "not valid JSON"},
		{"set does not match", "a.csv", "a\n1\n", map[string]any{"set": `^(\w+)_\d+`}, "does not match the expression of set"},
	} {
		t.Run(c.name, func(t *testing.T) {
			e := newExchange(t)
			e.file(c.file, c.content)
			settings := map[string]any{"path": "in/" + c.file}
			for k, v := range c.settings {
				settings[k] = v
			}
			got := e.read(nil, settings)
			if !errors.Is(got.err, connectors.ErrStop) || !strings.Contains(got.err.Error(), c.want) {
				t.Errorf("got %v, want ErrStop and %q", got.err, c.want)
			}
		})
	}
}

func TestAHugeRowIsRefusedInLittleMemory(t *testing.T) {
	for name, content := range map[string]string{
		"a.csv":   "a,b\n1," + strings.Repeat("x", 50<<20) + "\n2,y\n",
		"a.jsonl": `{"a":"` + strings.Repeat("x", 50<<20) + "\"}\n{\"a\":\"y\"}\n",
		"a.json":  `[{"a":"` + strings.Repeat("x", 50<<20) + `"},{"a":"y"}]`,
	} {
		t.Run(name, func(t *testing.T) {
			e := newExchange(t)
			e.file(name, content)
			src := e.open(nil, map[string]any{"path": "in/" + name})
			b, err := src.Read(t.Context())
			if err != nil || len(b.Rows) != 1 || b.Rows[0].Err == nil {
				t.Fatalf("%d rows, error %v; want the one that is refused", len(b.Rows), err)
			}
			if n := len(b.Rows[0].Raw); n == 0 || n > rawMax {
				t.Errorf("%d bytes of Raw", n)
			}
			b.Release()
			if held := bufferOf(src.current); held > 8<<20 {
				t.Errorf("the buffers grew to %d bytes", held)
			}
			if rest := readAll(t, src); len(rest.rows) != 1 || !strings.HasSuffix(rest.rows[0], "=y") {
				t.Errorf("then came %q, %v", rest.rows, rest.err)
			}
		})
	}
}

// bufferOf returns how much memory a file's reader holds.
func bufferOf(in *content) int {
	if in == nil {
		return 0
	}
	switch r := in.reader.(type) {
	case *csvReader:
		return cap(r.lines.buf) + cap(r.scratch)
	case *jsonLines:
		return cap(r.lines.buf) + cap(r.scratch)
	case *jsonDocument:
		return cap(r.bytes.buf) + cap(r.record)
	}
	return 0
}

func TestOrderTimeOriginAreSet(t *testing.T) {
	e := newExchange(t)
	e.file("a_1.csv", "a\n1\n")
	e.file("a_2.csv", "a\n1\n2\n")
	src := e.open(nil, map[string]any{"path": "in/*.csv", "order": byNumber, "key": []string{"a"}})
	var got []string
	for {
		b, err := src.Read(t.Context())
		if err != nil {
			break
		}
		for _, r := range b.Rows {
			info, err := os.Stat(filepath.Join(e.dir, b.Origin))
			if err != nil || r.Time != info.ModTime().UnixMicro() {
				t.Errorf("time %d, file %v %v", r.Time, info, err)
			}
			got = append(got, fmt.Sprintf("%s %s %v %d.%d", b.Origin, r.Table.Name, r.Table.Key, r.Order.Sequence>>32, r.Order.Sequence&0xffffffff))
		}
		b.Release()
	}
	want := []string{"in/a_1.csv file [0] 1.1", "in/a_2.csv file [0] 2.1", "in/a_2.csv file [0] 2.2"}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}
