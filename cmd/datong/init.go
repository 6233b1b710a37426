package main

import (
	"embed"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/spf13/cobra"

	"github.com/datong-dx/datong/connectors"
)

// template is the exchange that `datong init` writes.
//
//go:embed all:template
var template embed.FS

func newInitCommand(a *app) *cobra.Command {
	return &cobra.Command{
		Use:   "init DIR",
		Short: a.say("新建一个可运行的交换目录", "Write a small working exchange to start from"),
		Long: a.say("写出一个可以运行的交换目录：内置 broker，一个 CSV 数据源，带用例的映射，投递到 SQLite。\n目录不存在则新建，已有文件则拒绝。",
			"Write an exchange that runs as it is: an embedded broker, a CSV source, a mapping with fixtures, a delivery to SQLite.\nThe directory is made; one that holds files already is refused."),
		Example: "  datong init my-exchange\n  datong test my-exchange",
		Args:    a.args(1, 1),
		RunE: func(_ *cobra.Command, args []string) error {
			if err := writeTemplate(args[0]); err != nil {
				return err
			}
			fmt.Fprint(a.stdout, a.sayf("已写入 %[1]s。接下来：\n  datong check %[1]s\n  datong test %[1]s\n  datong run %[1]s --until-idle\n",
				"wrote %[1]s. Next:\n  datong check %[1]s\n  datong test %[1]s\n  datong run %[1]s --until-idle\n", args[0]))
			return nil
		},
	}
}

// writeTemplate writes the files into dir, which must be empty or not exist.
func writeTemplate(dir string) error {
	entries, err := os.ReadDir(dir)
	switch {
	case err == nil && len(entries) > 0:
		return withCode(exitUsage, &connectors.Problem{Where: dir,
			What: connectors.Text{Zh: "目录不是空的", En: "the directory is not empty"},
			Try:  connectors.Text{Zh: "换一个还不存在的目录", En: "name a directory that does not exist yet"}})
	case err != nil && !errors.Is(err, fs.ErrNotExist):
		return notWritable(dir, err)
	}
	files, err := fs.Sub(template, "template")
	if err != nil {
		return err
	}
	return fs.WalkDir(files, ".", func(path string, e fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		target := filepath.Join(dir, filepath.FromSlash(path))
		if e.IsDir() {
			return notWritable(target, os.MkdirAll(target, 0o755))
		}
		content, err := fs.ReadFile(files, path)
		if err != nil {
			return err
		}
		return notWritable(target, os.WriteFile(target, content, 0o644))
	})
}

// notWritable says that a file or directory could not be made.
func notWritable(path string, err error) error {
	if err == nil {
		return nil
	}
	if pe, ok := errors.AsType[*fs.PathError](err); ok {
		err = pe.Err
	}
	return withCode(exitUsage, &connectors.Problem{Where: path, Err: err, What: connectors.Text{Zh: "无法写入", En: "cannot write it"},
		Try: connectors.Text{Zh: "换一个可以写入的目录", En: "name a directory that you may write to"}})
}
