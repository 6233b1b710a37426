package config

import (
	"bytes"
	"path/filepath"
	"strconv"
	"strings"
	"unicode/utf8"

	"github.com/datong-dx/datong/mapping"
)

// readCodes reads the crosswalks of a department. A broken one is kept empty, so that mappings that use it are not
// blamed for its absence.
func (l *loader) readCodes(dir string) map[string]*mapping.Crosswalk {
	codes := map[string]*mapping.Crosswalk{}
	for _, e := range l.entries(dir) {
		name, isCSV := strings.CutSuffix(e.Name(), ".csv")
		path := filepath.Join(dir, e.Name())
		if !isCSV {
			l.problems.add(path, text("对照表应是 .csv 文件", "a crosswalk is a .csv file"),
				text("另存为 CSV（UTF-8），列为 source_code,standard_code,valid_from,valid_to,note", "save it as CSV in UTF-8 with the columns source_code,standard_code,valid_from,valid_to,note"))
			continue
		}
		codes[name] = l.readCrosswalk(path)
	}
	return codes
}

func (l *loader) readCrosswalk(path string) *mapping.Crosswalk {
	raw, err := readFile(path, maxCrosswalkBytes)
	if err != nil {
		l.problems.add(path, text("无法读取对照表：%v", "cannot read the crosswalk: %v", cause(err)), nothing)
		return &mapping.Crosswalk{}
	}
	if line := notUTF8(raw); line > 0 {
		l.problems.add(path+":"+strconv.Itoa(line), text("对照表不是 UTF-8 编码", "the crosswalk is not UTF-8"),
			text("在 Excel 中另存为“CSV UTF-8”，或执行 iconv -f GB18030 -t UTF-8", "save it as `CSV UTF-8` in Excel, or use iconv -f GB18030 -t UTF-8"))
		return &mapping.Crosswalk{}
	}
	c, err := mapping.ReadCrosswalk(bytes.NewReader(raw), path)
	l.problems.join(err)
	if c == nil {
		c = &mapping.Crosswalk{}
	}
	return c
}

// maxCrosswalkBytes is far above any list of codes.
const maxCrosswalkBytes = 64 << 20

// notUTF8 returns the first line, counted from 1, that is not UTF-8, and 0 when all are.
func notUTF8(raw []byte) int {
	if utf8.Valid(raw) {
		return 0
	}
	at := 0
	for at < len(raw) {
		r, size := utf8.DecodeRune(raw[at:])
		if r == utf8.RuneError && size == 1 {
			break
		}
		at += size
	}
	return 1 + bytes.Count(raw[:at], []byte("\n"))
}
