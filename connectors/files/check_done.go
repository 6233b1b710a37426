package files

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"github.com/datong-dx/datong/connectors"
)

// checkDone says whether finished files can be moved: out of each folder, and into the folder for them. It does so
// without making that folder.
func (s *Source) checkDone(list []candidate) []connectors.Problem {
	if s.settings.done == "" {
		return nil
	}
	folders := []string{filepath.Dir(s.folder.pattern())}
	if s.folder.globbedFolder() {
		folders = nil
	}
	for i := range list {
		folders = append(folders, filepath.Dir(list[i].path))
	}
	var found []connectors.Problem
	seen := map[string]bool{}
	for _, from := range folders {
		if seen[from] {
			continue
		}
		seen[from] = true
		to := filepath.Dir(s.done.target(filepath.Join(from, "file")))
		if err := movable(from, to); err != nil {
			found = append(found, connectors.Problem{
				Where: s.folder.relative(to), Err: err,
				What: connectors.Text{Zh: "已读完的文件无法移入此目录", En: "finished files cannot be moved into this folder"},
				Try: connectors.Text{
					Zh: "授予运行账号对两个目录的写权限，另选同一磁盘上的 done 目录，或写 done: none",
					En: "let the account write to both folders, name another done on the same disk, or write done: none"},
			})
		}
	}
	return found
}

// movable says why a file could not be moved from one folder to another, which may yet have to be made.
func movable(from, to string) error {
	if err := writable(from); err != nil {
		return err
	}
	for {
		info, err := os.Stat(to)
		switch {
		case errors.Is(err, fs.ErrNotExist) && to != filepath.Dir(to):
			to = filepath.Dir(to)
			continue
		case err != nil:
			return err
		case !info.IsDir():
			return &fs.PathError{Op: "move into", Path: to, Err: errors.New("not a folder")}
		}
		if err := writable(to); err != nil {
			return err
		}
		return sameDisk(from, to)
	}
}
