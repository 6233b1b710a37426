// Package files reads what departments drop as files: CSV and its kin, JSON and JSON Lines, in the encodings they really
// come in; one file, a glob, or a watched drop folder.
//
// A delivery is one file with one content. Deliveries are taken in order, one at a time, each read from its first row to
// its last, and remembered by digest: the same content again is done without reading, unless other content came in between,
// and the same name with other content is a new delivery:
//
//	folder ──list──► complete? ──► taken before? ──► late? ──► open ──► lines ──► decode ──► split ──► batch
//	                 (wait)        (move to done)    (held)
//
// Nothing here starts a goroutine: a Read does its own work, and Ack moves finished files.
package files

import (
	"context"

	"github.com/datong-dx/datong/connectors"
)

// Connector returns the connector: `connector: files`.
func Connector() *connectors.Connector {
	return &connectors.Connector{
		Name:           "files",
		Summary:        connectors.Text{Zh: "文件：CSV、TSV、JSON、JSON Lines，可监视投递目录", En: "files: CSV, TSV, JSON, JSON Lines, and watched drop folders"},
		SourceOptions:  options(),
		ValidateSource: validate,
		OpenSource: func(_ context.Context, r connectors.SourceRequest) (connectors.Source, error) {
			src, err := open(r, batchRows)
			if err != nil {
				return nil, err
			}
			return src, nil
		},
	}
}

func options() []connectors.Option {
	return []connectors.Option{
		{Name: "path", Type: connectors.StringOption, Required: true, Example: "drop/enterprises_*.csv",
			Help: connectors.Text{Zh: "文件、通配符或目录，相对于交换目录", En: "a file, a glob or a folder, relative to the exchange directory"}},
		{Name: "format", Type: connectors.StringOption, Values: []string{"csv", "tsv", "json", "jsonl"},
			Help: connectors.Text{Zh: "格式，默认按扩展名判断", En: "format; by the file's extension unless set"}},
		{Name: "encoding", Type: connectors.StringOption, Default: "utf-8", Example: "gbk",
			Values: []string{"utf-8", "gbk", "gb2312", "gb18030", "utf-16", "auto"},
			Help:   connectors.Text{Zh: "字符编码；gbk 和 gb2312 一律按 GB 18030 解码；auto 为 UTF-8，否则 GB 18030", En: "character encoding; gbk and gb2312 are decoded as GB 18030; auto is UTF-8 where all of the file is, else GB 18030"}},
		{Name: "delimiter", Type: connectors.StringOption, Example: ";",
			Help: connectors.Text{Zh: "分隔符（一个 ASCII 字符或 tab）；默认 csv 为逗号，首行只有制表符等时取之；tsv 为制表符", En: "one ASCII character or `tab`; else a comma for csv (or what the first row has instead), a tab for tsv"}},
		{Name: "header", Type: connectors.ListOption, Default: "auto", Example: "[code, name]",
			Help: connectors.Text{Zh: "auto：首行为表头；none：无表头，列名为 F1、F2…；或列名列表（文件无表头）", En: "auto: the first row; none: there is none, columns are F1, F2, …; or the list of names of a file without header"}},
		{Name: "skip_rows", Type: connectors.IntOption, Default: "0",
			Help: connectors.Text{Zh: "表头之前要跳过的行数", En: "lines to skip before the header or the first row"}},
		{Name: "columns", Type: connectors.MapOption, Example: "{企业名称（全称）: QYMC}",
			Help: connectors.Text{Zh: "列的新名称", En: "new names for columns"}},
		{Name: "record_path", Type: connectors.StringOption, Example: "data.items",
			Help: connectors.Text{Zh: "JSON 中记录的路径：以点分隔的键，数组逐个展开，* 为对象的每一项；上级的字段为 parent.名称", En: "where records stand in JSON: keys joined by dots; arrays are walked; * is each entry of an object; the fields of what contains a record are parent.NAME"}},
		{Name: "key", Type: connectors.ListOption, Example: "[TYSHXYDM]",
			Help: connectors.Text{Zh: "标识一行的列", En: "the columns that identify a row"}},
		{Name: "set", Type: connectors.StringOption, Example: `^(\w+)_\d+\.csv$`,
			Help: connectors.Text{Zh: "正则表达式，其捕获组从文件名取得数据集名称；默认 file", En: "regular expression whose group takes the set's name from the file's name; else the set is `file`"}},
		{Name: "order", Type: connectors.StringOption, Example: `_(\d{8})\.csv$`,
			Help: connectors.Text{Zh: "正则表达式，其捕获组从文件名取得日期或序号；默认按修改时间", En: "regular expression whose group takes a date or number from the file's name; else modification time orders files"}},
		{Name: "mode", Type: connectors.StringOption, Default: "changes", Values: []string{"changes", "full"},
			Help: connectors.Text{Zh: "full：每个文件是全量，缺少的行即已删除；changes：只有变更", En: "full: each file is the whole set, rows missing from it are deleted; changes: they are not"}},
		{Name: "op_column", Type: connectors.StringOption, Example: "CZLX",
			Help: connectors.Text{Zh: "说明操作（新增、修改、删除）的列，仅 changes", En: "the column that tells insert, update or delete; only for changes"}},
		{Name: "ops", Type: connectors.MapOption, Example: "{D: delete, 删除: delete}",
			Help: connectors.Text{Zh: "op_column 的值对应的操作：insert、update、upsert、delete", En: "what the values of op_column mean: insert, update, upsert or delete"}},
		{Name: "watch", Type: connectors.DurationOption, Default: "0s", Example: "5s",
			Help: connectors.Text{Zh: "查看目录的间隔；0 表示读完现有文件即结束", En: "how often to look for new files; 0 reads what is there and ends"}},
		{Name: "complete", Type: connectors.StringOption, Default: "settle", Values: []string{"settle", "marker"},
			Help: connectors.Text{Zh: "settle：文件在 settle 时长内不变即完整；marker：存在 文件名.ok 即完整", En: "settle: a file is complete when it has not changed for that long; marker: when NAME.ok stands beside it"}},
		{Name: "settle", Type: connectors.DurationOption, Default: "0s", Example: "10s",
			Help: connectors.Text{Zh: "文件须保持不变的时长；0 表示监视时 2s，否则不等待", En: "how long a file must stay unchanged; 0 means 2s when watching, else no wait"}},
		{Name: "done", Type: connectors.StringOption, Example: "done",
			Help: connectors.Text{Zh: "读完并提交的文件移入的目录（相对于文件所在目录）；none 不移动；默认监视时为 done，否则 none", En: "folder, beside the file, for files that are read and durable; none leaves them; else `done` when watching and none otherwise"}},
		{Name: "max_row_bytes", Type: connectors.IntOption, Default: "1048576",
			Help: connectors.Text{Zh: "一行的最大字节数，超过即拒绝该行", En: "a longer row is refused"}},
	}
}

var (
	_ connectors.Source     = (*Source)(nil)
	_ connectors.Checker    = (*Source)(nil)
	_ connectors.Discoverer = (*Source)(nil)
)
