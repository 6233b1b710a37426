package demo

import (
	"embed"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/datong-dx/datong/connectors"
)

// templates is the exchange directory of the demonstration, an example to read and to change.
//
//go:embed all:exchange
var templates embed.FS

// WriteExchange writes the exchange directory into dir, which must be empty or not exist.
func WriteExchange(dir string) error {
	if err := checkEmpty(dir); err != nil {
		return err
	}
	return fs.WalkDir(templates, "exchange", func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(strings.TrimPrefix(path, "exchange")))
		if entry.IsDir() {
			return notWritable(target, os.MkdirAll(target, 0o755))
		}
		content, err := templates.ReadFile(path)
		if err != nil {
			return err
		}
		return notWritable(target, os.WriteFile(target, content, 0o644))
	})
}

// checkEmpty refuses a directory that holds something already.
func checkEmpty(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case os.IsNotExist(err):
		return nil
	case err != nil:
		return &connectors.Problem{Where: dir, Err: err,
			What: connectors.Text{Zh: "不是可以写入的目录", En: "is not a directory that can be written to"},
			Try:  connectors.Text{Zh: "换一个目录", En: "name another directory"}}
	case len(entries) > 0:
		return &connectors.Problem{Where: dir,
			What: connectors.Text{Zh: "目录中已有文件，演示不覆盖任何文件", En: "the directory holds files already, and the demonstration overwrites none"},
			Try:  connectors.Text{Zh: "换一个新目录；要接着运行上次的演示，用 datong run " + dir, En: "name a new directory; to go on with an earlier demonstration: datong run " + dir}}
	}
	return nil
}

func notWritable(path string, err error) error {
	if err == nil {
		return nil
	}
	return &connectors.Problem{Where: path, Err: err,
		What: connectors.Text{Zh: "无法写入", En: "cannot be written"},
		Try:  connectors.Text{Zh: "用 --dir 换一个可以写入的目录", En: "name a directory that you may write to with --dir"}}
}
