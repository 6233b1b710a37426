package files

import (
	"bytes"
	"io"
	"unicode/utf8"

	"golang.org/x/text/encoding/unicode"
	"golang.org/x/text/transform"
)

// decode appends src to dst as UTF-8; ok is false when some of it could not be decoded and became U+FFFD.
type decode func(dst, src []byte) (out []byte, ok bool)

const (
	utf8BOM    = "\ufeff"
	utf16LEBOM = "\xff\xfe"
	utf16BEBOM = "\xfe\xff"
)

// decodeUTF8 lets through what is UTF-8. A U+FFFD in the file itself is an error as well: something before us decoded
// the text wrongly and the character is lost.
func decodeUTF8(dst, src []byte) ([]byte, bool) {
	if !utf8.Valid(src) {
		return append(dst, bytes.ToValidUTF8(src, []byte("\ufffd"))...), false
	}
	return append(dst, src...), !bytes.Contains(src, []byte("\ufffd"))
}

// text is how a file's bytes become characters.
type text struct {
	decode decode // of a line
	skip   int    // bytes of the byte-order mark
	stream bool   // the whole stream is decoded before it is cut into lines: offsets count decoded bytes
	big    bool   // UTF-16 with the high byte first, unless a byte-order mark says otherwise
	name   string
}

// textOf decides how a file is decoded: a byte-order mark wins over what is declared.
func textOf(declared string, head []byte, allUTF8 bool) text {
	switch {
	case bytes.HasPrefix(head, []byte(utf8BOM)):
		return text{decode: decodeUTF8, skip: len(utf8BOM), name: "utf-8"}
	case bytes.HasPrefix(head, []byte(utf16LEBOM)), bytes.HasPrefix(head, []byte(utf16BEBOM)), declared == "utf-16":
		even, odd := zerosByParity(head)
		return text{decode: decodeUTF8, stream: true, big: even > odd, name: "utf-16"}
	case declared == "gbk", declared == "gb2312", declared == "gb18030", declared == "auto" && !allUTF8:
		return text{decode: decodeGB18030, name: "gb18030"}
	}
	return text{decode: decodeUTF8, name: "utf-8"}
}

// at returns the file's content from an offset on. file stands anywhere.
func (t text) at(file io.ReadSeeker, offset int64) (io.Reader, error) {
	if t.stream {
		if _, err := file.Seek(0, io.SeekStart); err != nil {
			return nil, err
		}
		order := unicode.LittleEndian
		if t.big {
			order = unicode.BigEndian
		}
		decoder := unicode.UTF16(order, unicode.UseBOM).NewDecoder()
		stream := transform.NewReader(file, decoder)
		_, err := io.CopyN(io.Discard, stream, offset)
		return stream, err
	}
	_, err := file.Seek(max(offset, int64(t.skip)), io.SeekStart)
	return file, err
}

// start returns the offset of the first character.
func (t text) start() int64 { return int64(t.skip) }
