// Package yamlsyntax tells a person where a file is not YAML, and what to look at there.
package yamlsyntax

import (
	"bytes"
	"regexp"
	"strconv"
	"unicode/utf8"

	"github.com/datong-dx/datong/connectors"
)

var message = regexp.MustCompile(`^yaml: (?:line (\d+): )?(.*)$`)

// Problem returns what the YAML parser said of a file's content, at its line.
func Problem(file string, content []byte, err error) *connectors.Problem {
	what, line := err.Error(), 0
	if m := message.FindStringSubmatch(what); m != nil {
		what = m[2]
		if line, _ = strconv.Atoi(m[1]); line > 0 {
			file += ":" + m[1]
		}
	}
	return &connectors.Problem{
		Where: file,
		What:  connectors.Text{Zh: "不是合法的 YAML：" + what, En: "not valid YAML: " + what},
		Try:   try(content, line),
	}
}

func try(content []byte, line int) connectors.Text {
	switch {
	case !utf8.Valid(content):
		return connectors.Text{Zh: "把文件另存为 UTF-8 编码", En: "save the file as UTF-8"}
	case beginsWithTab(content, line):
		return connectors.Text{Zh: "这一行用制表符缩进；YAML 只用空格", En: "this line is indented by a tab; YAML takes spaces only"}
	}
	return connectors.Text{Zh: "检查这一行及上一行的缩进、冒号和引号", En: "look at the indentation, colons and quotes of this line and the one before"}
}

// beginsWithTab says whether a line, counted from 1, is indented by a tab.
func beginsWithTab(content []byte, line int) bool {
	lines := bytes.Split(content, []byte("\n"))
	return line > 0 && line <= len(lines) && bytes.HasPrefix(bytes.TrimLeft(lines[line-1], " "), []byte("\t"))
}
