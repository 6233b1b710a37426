package main

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"go.yaml.in/yaml/v3"
	"golang.org/x/text/encoding/simplifiedchinese"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/mapping"
	"github.com/datong-dx/datong/mapping/dictionary"
)

// The department's data is a register of invented enterprises, of twelve columns.
var columns = []string{"tyshxydm", "qymc", "qylx", "fddbr", "zczb", "bz", "clrq", "ywzt", "djjg", "zs", "xzqh", "hydm"}

const (
	department = "scjg"
	entity     = "legal_entity"

	createRegister = ` (tyshxydm varchar(18) PRIMARY KEY, qymc varchar(200) NOT NULL, qylx char(4), fddbr varchar(50), zczb numeric(18,4),
		bz varchar(3), clrq date, ywzt char(1), djjg varchar(100), zs varchar(200), xzqh varchar(6), hydm varchar(6))`

	registerMapping = `
entity: legal_entity
fields:
  uscc: tyshxydm
  org_name: qymc
  ent_type: qylx
  legal_rep_name: fddbr
  reg_capital: {from: zczb, unit: 万元}
  reg_capital_currency: bz
  est_date: {from: clrq, layouts: [yyyy-MM-dd]}
  reg_status: {from: ywzt, codes: ywzt}
  reg_authority: djjg
  address: zs
  region_code: xzqh
  industry_code: hydm
  industry_edition: {value: "2017"}
`
	statusCodes = "source_code,standard_code,valid_from,valid_to,note\nK,1,,,开业\nD,2,,,吊销\nX,3,,,注销\nQ,4,,,迁出\n"
)

// plan compiles the register's mapping to the dictionary that is built in.
func plan() (*mapping.Plan, error) {
	var doc yaml.Node
	if err := yaml.Unmarshal([]byte(registerMapping), &doc); err != nil {
		return nil, err
	}
	spec, err := mapping.ParseSpec(doc.Content[0], "register.yaml")
	if err != nil {
		return nil, err
	}
	codes, err := mapping.ReadCrosswalk(strings.NewReader(statusCodes), "ywzt.csv")
	if err != nil {
		return nil, err
	}
	return mapping.Compile(spec, dictionary.Builtin(), map[string]*mapping.Crosswalk{"ywzt": codes})
}

// enterprises invents rows of the register.
type enterprises struct{ regions []string }

func newEnterprises() *enterprises {
	e := &enterprises{}
	for _, c := range dictionary.Builtin().CodeSet("division").Codes {
		if len(c.Value) == 6 && c.Value[4:] != "00" && c.To > 40_000 { // a county that is still one
			e.regions = append(e.regions, c.Value)
		}
	}
	if len(e.regions) == 0 {
		e.regions = []string{"110101"}
	}
	return e
}

// append appends row i, its columns separated by commas.
func (e *enterprises) append(dst []byte, i int) []byte {
	region := e.regions[i%len(e.regions)]
	dst = append(dst, uscc(region, i)...)
	dst = fmt.Appendf(dst, ",虚构市第%d号测试贸易有限公司,1130,张三%d,%d.%04d,156,20%02d-%02d-%02d,%c,%s000,虚构市虚构区虚构路%d号,%s,I%04d\n",
		i, i%1000, i%5000+1, i*7919%10000, i%24, i%12+1, i%28+1, "KDXQ"[i%4], region, i%999+1, region, 6510+i%30)
	return dst
}

const usccAlphabet = "0123456789ABCDEFGHJKLMNPQRTUWXY"

// uscc makes a unified social credit code whose check character is right (GB 32100-2015).
func uscc(region string, i int) string {
	b := fmt.Appendf(nil, "91%sMA%07d", region, i)
	sum, weight := 0, 1
	for _, c := range b {
		sum += strings.IndexByte(usccAlphabet, c) * weight
		weight = weight * 3 % 31
	}
	return string(append(b, usccAlphabet[(31-sum%31)%31]))
}

// fillTable makes the table with rows from..to-1 of the register.
func (s *session) fillTable(ctx context.Context, table string, from, to int) error {
	if err := s.exec(ctx, "CREATE TABLE "+table+createRegister); err != nil {
		return err
	}
	e := newEnterprises()
	const rows = 50_000
	var data []byte
	for at := from; at < to; at += rows {
		data = data[:0]
		for i := at; i < min(at+rows, to); i++ {
			data = e.append(data, i)
		}
		if _, err := s.db.PgConn().CopyFrom(ctx, bytes.NewReader(data), "COPY "+table+" FROM STDIN (FORMAT csv)"); err != nil {
			return fmt.Errorf("fill %s: %w", table, err)
		}
	}
	return s.exec(ctx, "VACUUM ANALYZE "+table)
}

// writeFile writes the register as a department drops it: GB 18030, with a header.
func (s *session) writeFile(name string, rows int) ([]byte, error) {
	e := newEnterprises()
	data := []byte(strings.Join(columns, ",") + "\n")
	for i := range rows {
		data = e.append(data, i)
	}
	data, err := simplifiedchinese.GB18030.NewEncoder().Bytes(data)
	if err != nil {
		return nil, fmt.Errorf("encode %s: %w", name, err)
	}
	return data, os.WriteFile(filepath.Join(s.dir, name), data, 0o600)
}

// registerTable describes the rows as a file's are described: by names.
func registerTable() *connectors.Table {
	t := &connectors.Table{Name: "register", Key: []int{0}, Unique: true}
	for _, name := range columns {
		t.Columns = append(t.Columns, connectors.Column{Name: name})
	}
	return t
}

// batch makes rows of the register as a source would.
func (e *enterprises) batch(t *connectors.Table, from, to int) *connectors.Batch {
	b, now := connectors.NewBatch(), time.Now().UnixMicro()
	var line []byte
	for i := from; i < to; i++ {
		line = e.append(line[:0], i)
		row := b.Add(t, connectors.OpSnapshot)
		for n, text := range slices.Collect(bytes.SplitSeq(bytes.TrimSuffix(line, []byte{'\n'}), []byte{','})) {
			row.Values[n] = connectors.String(b.Copy(text))
		}
		row.Order.Sequence, row.Time, row.Line = 1, now, int64(i+1)
	}
	return b
}

// settings applies what is changed to the defaults that a connector declares, as the configuration would.
func settings(declared []connectors.Option, changed map[string]string) (connectors.Settings, error) {
	s := connectors.Settings{}
	for _, o := range declared {
		text, ok := changed[o.Name]
		if !ok {
			text = o.Default
		}
		v, err := option(o.Type, text)
		if err != nil {
			return nil, fmt.Errorf("setting %s: %w", o.Name, err)
		}
		s[o.Name] = v
	}
	return s, nil
}

func option(kind connectors.OptionType, text string) (any, error) {
	switch kind {
	case connectors.IntOption:
		if text == "" {
			text = "0"
		}
		return strconv.ParseInt(text, 10, 64)
	case connectors.BoolOption:
		return text == "true", nil
	case connectors.DurationOption:
		if text == "" {
			return time.Duration(0), nil
		}
		return time.ParseDuration(text)
	case connectors.ListOption:
		return strings.FieldsFunc(text, func(r rune) bool { return r == ',' }), nil
	case connectors.MapOption:
		return map[string]string{}, nil
	}
	return text, nil
}
