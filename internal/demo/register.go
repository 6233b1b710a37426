package demo

import (
	"bytes"
	"encoding/csv"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/text/encoding/simplifiedchinese"
)

// registerSheet is the export of market regulation's register of enterprises.
var registerSheet = &sheet{name: "QYDJ", columns: []string{
	"PRIPID", "TYSHXYDM", "QYMC", "QYLX", "FDDBR", "ZCZB", "CLRQ", "HZRQ", "YYQXZ", "YWZT",
	"DJJG", "ZS", "XZQH", "HYDM", "JYFW", "LXDH", "CZLX",
}}

// What the register says was done to a row.
const (
	opInsert = "新增"
	opUpdate = "变更"
	opDelete = "删除"
)

// registerRow is the firm as market regulation exports it: capital in 万元, compact dates, words for codes.
func (f *firm) registerRow(op string) row {
	return registerSheet.newRow(
		fmt.Sprintf("%s%010d", f.place.region, f.number), f.code, f.name, f.form.register, f.person, tenThousands(f.yuan),
		f.founded.Format("20060102"), f.approved.Format(time.DateOnly), f.ends, f.status.register,
		f.place.region, f.address(), f.place.region, f.industry.section+f.industry.digits, f.industry.scope, f.phone, op)
}

// tenThousands writes 元 as 万元, exactly: firms are invented with whole hundreds of 元.
func tenThousands(yuan int64) string { return fmt.Sprintf("%d.%02d", yuan/10_000, yuan%10_000/100) }

// register drops the files of market regulation into its outbox.
type register struct {
	dir   string
	day   string // in the files' names
	files int
}

func newRegister(exchange string, day time.Time) (*register, error) {
	r := &register{dir: filepath.Join(exchange, "systems", "market-regulation", "outbox"), day: day.Format("20060102")}
	return r, notWritable(r.dir, os.MkdirAll(r.dir, 0o755))
}

// drop writes a file of the rows: GB 18030, CRLF, as the register's export makes it. It appears under its name when it is
// whole.
func (r *register) drop(rows []row) error {
	r.files++
	var text bytes.Buffer
	w := csv.NewWriter(&text)
	w.UseCRLF = true
	w.Write(registerSheet.columns) //nolint:errcheck // a buffer takes everything
	for _, row := range rows {
		w.Write(row.values) //nolint:errcheck // a buffer takes everything
	}
	w.Flush()
	content, err := simplifiedchinese.GB18030.NewEncoder().Bytes(text.Bytes())
	if err != nil {
		return fmt.Errorf("encode a file of the register: %w", err)
	}
	path := filepath.Join(r.dir, fmt.Sprintf("QYDJ_%s_%04d.csv", r.day, r.files))
	if err := os.WriteFile(path+".part", content, 0o644); err != nil {
		return notWritable(path, err)
	}
	return notWritable(path, os.Rename(path+".part", path))
}
