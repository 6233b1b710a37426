//go:build unix

package files

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"golang.org/x/sys/unix"
)

func TestCheckTellsThatFinishedFilesCannotBeMoved(t *testing.T) {
	for name, c := range map[string]struct{ done, want string }{
		"none":                {"none", ""},
		"a folder to be made": {"done/2026", ""},
		"a file in its place": {"taken", "not a folder"},
		"below a file":        {"taken/done", "not a directory"},
		"another disk":        {otherDisk(t), "cross-device"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newExchange(t)
			e.file("x.csv", "a\n1\n")
			e.file("taken", "")
			problems := e.open(nil, map[string]any{"path": "in/*.csv", "watch": defaultSettle, "done": c.done}).Check(t.Context())
			if c.want == "" {
				if len(problems) > 0 {
					t.Errorf("problems: %v", problems)
				}
				return
			}
			if len(problems) != 1 || problems[0].Warning || !strings.Contains(problems[0].Error(), "finished files cannot be moved") || !strings.Contains(problems[0].Error(), c.want) {
				t.Errorf("problems: %v, want one that says %q", problems, c.want)
			}
			if _, err := os.Stat(filepath.Join(e.dir, "in", "done")); err == nil {
				t.Error("a check made the folder")
			}
		})
	}
}

// otherDisk is a folder on another file system than temporary files.
func otherDisk(t *testing.T) string {
	var a, b unix.Stat_t
	for _, folder := range []string{"/dev/shm", "/proc", "/sys"} {
		if unix.Stat(t.TempDir(), &a) == nil && unix.Stat(folder, &b) == nil && a.Dev != b.Dev && writable(folder) == nil {
			return folder
		}
	}
	t.Log("there is no other file system here")
	return "taken"
}
