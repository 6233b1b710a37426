package files

import (
	"bytes"
	"unicode/utf8"

	"github.com/datong-dx/datong/connectors"
)

// sniff looks at a file's beginning for what a person would see at once: that it is no text, or not in the encoding that
// is declared. Such a file would become thousands of refused rows, or be read wrongly without an error.
func sniff(s *settings, where string, head []byte) *connectors.Problem {
	if p := notText(head); p != nil {
		p.Where, p.Err = where, connectors.ErrStop
		return p
	}
	declared := textOf(s.encoding, head, false)
	if declared.stream {
		return nil
	}
	var what, try connectors.Text
	switch {
	case looksUTF16(head):
		what = connectors.Text{Zh: "声明为 " + declared.name + "，但文件像是 UTF-16", En: "declared as " + declared.name + ", but the file looks like UTF-16"}
		try = connectors.Text{Zh: "encoding: utf-16", En: "encoding: utf-16"}
	case s.encoding == "auto":
		return nil
	case declared.name == "utf-8" && looksGB18030(head):
		what = connectors.Text{Zh: "声明为 utf-8，但文件像是 GB 18030（GBK）", En: "declared as utf-8, but the file looks like GB 18030 (GBK)"}
		try = connectors.Text{Zh: "encoding: gb18030", En: "encoding: gb18030"}
	case declared.name == "gb18030" && looksUTF8(head):
		what = connectors.Text{Zh: "声明为 GB 18030（GBK），但文件是 UTF-8", En: "declared as GB 18030 (GBK), but the file is UTF-8"}
		try = connectors.Text{Zh: "encoding: utf-8；两者都有时用 auto", En: "encoding: utf-8, or auto where both occur"}
	default:
		return nil
	}
	return &connectors.Problem{Where: where, What: what, Try: try, Err: connectors.ErrStop}
}

// signature is how files begin that are often delivered in place of a text.
type signature struct {
	magic     string
	what, try connectors.Text
}

var (
	saveAsText = connectors.Text{Zh: "在 Excel 中另存为“CSV UTF-8”后投递", En: "save it as `CSV UTF-8` in Excel and deliver that"}
	unpack     = connectors.Text{Zh: "解压后投递", En: "unpack it and deliver what is inside"}
	exportText = connectors.Text{Zh: "请来源系统导出 CSV 或 JSON", En: "have the source export CSV or JSON"}

	signatures = []signature{
		{"PK\x03\x04", connectors.Text{Zh: "这是 Excel 工作簿（.xlsx）或 ZIP 压缩文件，不是文本", En: "this is an Excel workbook (.xlsx) or a ZIP archive, not text"}, saveAsText},
		{"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", connectors.Text{Zh: "这是旧版 Office 文件（如 .xls），不是文本", En: "this is an old Office file such as .xls, not text"}, saveAsText},
		{"\x1f\x8b", connectors.Text{Zh: "这是 gzip 压缩文件，不是文本", En: "this is a gzip file, not text"}, unpack},
		{"Rar!\x1a", connectors.Text{Zh: "这是 RAR 压缩文件，不是文本", En: "this is a RAR archive, not text"}, unpack},
		{"7z\xbc\xaf", connectors.Text{Zh: "这是 7z 压缩文件，不是文本", En: "this is a 7z archive, not text"}, unpack},
		{"%PDF-", connectors.Text{Zh: "这是 PDF 文件", En: "this is a PDF file"}, exportText},
	}
	markup = [][]byte{[]byte("<!doctype html"), []byte("<html"), []byte("<table"), []byte("<?xml")}
)

// notText recognises files that are no text, web pages and XML, and files of which only the size was ever written.
func notText(head []byte) *connectors.Problem {
	for _, s := range signatures {
		if bytes.HasPrefix(head, []byte(s.magic)) {
			return &connectors.Problem{What: s.what, Try: s.try}
		}
	}
	begin := bytes.ToLower(bytes.TrimSpace(bytes.TrimPrefix(head[:min(len(head), 256)], []byte(utf8BOM))))
	for _, m := range markup {
		if bytes.HasPrefix(begin, m) {
			return &connectors.Problem{What: connectors.Text{Zh: "这是网页（HTML）或 XML", En: "this is a web page (HTML) or XML"}, Try: exportText}
		}
	}
	if zeros := bytes.Count(head, []byte{0}); zeros >= enoughZeros && zeros > len(head)*9/10 {
		return &connectors.Problem{What: connectors.Text{Zh: "文件内容几乎全是零字节", En: "the file holds next to nothing but zero bytes"},
			Try: connectors.Text{Zh: "磁盘写满或断电会如此：请重新投递", En: "a full disk or a power failure does that: deliver it again"}}
	}
	return nil
}

// Below these numbers a few stray bytes would decide.
const (
	enoughZeros = 8
	enoughBytes = 30 // beyond ASCII: a few GB 18030 characters may look like UTF-8 by chance
)

// looksUTF16 says that every second byte is often zero, as that of ASCII in UTF-16 is.
func looksUTF16(head []byte) bool {
	even, odd := zerosByParity(head)
	return even+odd >= enoughZeros && (even+odd)*10 >= len(head) && (even == 0 || odd == 0)
}

func zerosByParity(head []byte) (even, odd int) {
	for i, b := range head {
		switch {
		case b != 0:
		case i%2 == 0:
			even++
		default:
			odd++
		}
	}
	return even, odd
}

// looksUTF8 says that there is much beyond ASCII and all of it is UTF-8.
func looksUTF8(head []byte) bool {
	beyond := 0
	for _, b := range head {
		if b >= utf8.RuneSelf {
			beyond++
		}
	}
	return beyond >= enoughBytes && utf8.Valid(head)
}

// looksGB18030 says that what is beyond ASCII is hardly ever UTF-8 and always GB 18030. A row with a broken character
// in a file of UTF-8 is that row's matter. Only what takes three bytes, as Han characters do, counts as UTF-8: two bytes
// of GB 18030 are often a character of UTF-8 by chance.
func looksGB18030(head []byte) bool {
	whole, broken := 0, 0
	for i := 0; i < len(head); {
		r, size := utf8.DecodeRune(head[i:])
		switch {
		case r == utf8.RuneError && size == 1:
			broken++
		case size > 2:
			whole++
		}
		i += size
	}
	if broken < enoughBytes/2 || whole*4 > broken {
		return false
	}
	_, ok := decodeGB18030(nil, head)
	return ok
}
