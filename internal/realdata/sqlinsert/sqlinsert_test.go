package sqlinsert

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// render writes a row on one line: strings in quotes, so that 'NULL' and NULL differ.
func render(r Row) string {
	var b strings.Builder
	b.WriteString(r.Table)
	for i, v := range r.Values {
		b.WriteString(" " + r.Columns[i] + "=")
		switch v.Kind {
		case Null:
			b.WriteString("NULL")
		case String:
			b.WriteString("'" + v.Text + "'")
		default:
			b.WriteString(v.Text)
		}
	}
	return b.String()
}

func readAll(sql string, opts Options) (rows []string, err error) {
	err = Read(sql, opts, func(r Row) error {
		rows = append(rows, render(r))
		return nil
	})
	return rows, err
}

func TestRead(t *testing.T) {
	tests := []struct {
		name, sql string
		opts      Options
		want      []string
	}{
		{"names in the quotes of strings", "INSERT INTO city ('_id', 'name') VALUES ('1', '示例市');\n", Options{}, []string{"city _id='1' name='示例市'"}},
		{"several rows in a statement", "insert into a(x, y) values (1, 'b'), (-2.50, NULL),\n(1e3, true)", Options{},
			[]string{"a x=1 y='b'", "a x=-2.50 y=NULL", "a x=1e3 y=true"}},
		{"a dump's other statements and comments", "-- dump; of a\nSET NAMES utf8mb4;\n/*!40101 SET a = 'x;y' */;\nCREATE TABLE `a` (`x` int COMMENT 'a;b', PRIMARY KEY (`x`));\n# rows\nINSERT IGNORE INTO `db`.`a` (`x`) VALUES (1);\nUNLOCK TABLES;\n", Options{},
			[]string{"a x=1"}},
		{"what follows the rows", `INSERT INTO "s"."a" ("x") VALUES (1) ON CONFLICT ("x") DO UPDATE SET x = excluded.x; REPLACE INTO [b] ([y z]) VALUES ('2');`, Options{},
			[]string{"a x=1", "b y z='2'"}},
		{"quotes and line breaks in a string", "INSERT INTO a (x) VALUES ('it''s\n(1, 2); --');", Options{}, []string{"a x='it's\n(1, 2); --'"}},
		{"a backslash in standard SQL", `INSERT INTO a (x) VALUES ('a\'), ('\n');`, Options{}, []string{`a x='a\'`, `a x='\n'`}},
		{"a backslash in MySQL", `INSERT INTO a (x) VALUES ('a\'b\\'), ('c\td\%');`, Options{Backslash: true}, []string{`a x='a'b\'`, "a x='c\td%'"}},
		{"a byte-order mark", "\ufeffINSERT INTO a (x) VALUES (1)", Options{}, []string{"a x=1"}},
		{"nothing", " \n-- nothing", Options{}, nil},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := readAll(tt.sql, tt.opts)
			if err != nil {
				t.Fatal(err)
			}
			if diff := cmp.Diff(tt.want, got); diff != "" {
				t.Errorf("(-want +got)\n%s", diff)
			}
		})
	}
}

func TestReadRefuses(t *testing.T) {
	tests := []struct{ name, sql, want string }{
		{"a row of other width", "INSERT INTO a (x, y) VALUES\n(1, 2),\n(3);", "line 3: the row has 1 values for 2 columns"},
		{"no columns", "INSERT INTO a VALUES (1);", "line 1: table a is not followed by the names of its columns"},
		{"a query", "INSERT INTO a (x)\nSELECT 1;", "line 2: VALUES should follow the names of the columns"},
		{"a function", "INSERT INTO a (x) VALUES\n(NOW());", "line 2: NOW stands where a value should, and only strings, numbers, TRUE, FALSE and NULL are read"},
		{"no comma", "INSERT INTO a (x, y) VALUES (1 2);", "line 1: 2 stands where a comma or a closing bracket should"},
		{"no bracket", "INSERT INTO a (x) VALUES 1;", "line 1: 1 stands where the bracket of a row should"},
		{"no table", "INSERT\n;", "line 2: the statement lacks INTO"},
		{"a number for a column", "INSERT INTO a (1) VALUES (1);", "line 1: 1 stands where the name of a column should"},
		{"an open string", "INSERT INTO a (x) VALUES (\n'b);\n", "line 2: the quote that opens here is never closed"},
		{"an open comment", "\n/* a", "line 2: the comment that begins here is never closed"},
		{"an open row", "INSERT INTO a (x) VALUES ('b'", "line 1: the end of the file stands where a comma or a closing bracket should"},
		{"a string that is not UTF-8", "INSERT INTO a (x) VALUES ('\xd6\xd0')", "line 1: a string is not UTF-8"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := readAll(tt.sql, Options{}); err == nil || err.Error() != tt.want {
				t.Errorf("got error %v, want %s", err, tt.want)
			}
		})
	}
}

func FuzzRead(f *testing.F) {
	for _, s := range []string{"INSERT INTO a ('x', \"y\") VALUES (1, 'b''c'), (NULL, TRUE);", "SET a; -- b\nINSERT INTO a(x) VALUES (-1.5e3)", "INSERT", "[`"} {
		f.Add(s, true)
	}
	f.Fuzz(func(t *testing.T, sql string, backslash bool) {
		_ = Read(sql, Options{Backslash: backslash}, func(r Row) error {
			if len(r.Values) != len(r.Columns) || r.Table == "" || r.Line < 1 {
				t.Errorf("%q gave the row %+v", sql, r)
			}
			return nil
		})
	})
}
