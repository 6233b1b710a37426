package files

import (
	"cmp"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// folder lists what lies under the path.
type folder struct {
	settings *settings
	dir      string // the exchange directory
	seen     map[string]sighting
	digests  map[string]digested
}

// sighting is since when a file has looked like this.
type sighting struct {
	size  int64
	mtime time.Time
	since time.Time
}

// candidate is one file that matches the path.
type candidate struct {
	path       string // to open it
	name       string // relative to the exchange directory, with slashes
	size       int64
	mtime      time.Time
	set, order string
	complete   bool
}

func newFolder(s *settings, dir string) *folder {
	return &folder{settings: s, dir: dir, seen: map[string]sighting{}, digests: map[string]digested{}}
}

// pattern returns the absolute glob, with a folder's path meaning all files in it.
func (f *folder) pattern() string {
	p := f.settings.path
	if !filepath.IsAbs(p) {
		p = filepath.Join(escapeGlob(f.dir), p)
	}
	if info, err := os.Stat(p); err == nil && info.IsDir() {
		p = filepath.Join(p, "*")
	}
	return p
}

// glob says that the path may match several files.
func (f *folder) glob() bool {
	return strings.ContainsAny(f.settings.path, "*?[") || filepath.Base(f.pattern()) == "*"
}

// globbedFolder says that the folder itself is given by a glob.
func (f *folder) globbedFolder() bool {
	return strings.ContainsAny(filepath.Dir(f.settings.path), "*?[")
}

// path returns where a file of that name is.
func (f *folder) path(name string) string {
	if filepath.IsAbs(name) {
		return name
	}
	return filepath.Join(f.dir, filepath.FromSlash(name))
}

func escapeGlob(dir string) string {
	return strings.NewReplacer(`\`, `\\`, `*`, `\*`, `?`, `\?`, `[`, `\[`).Replace(dir)
}

// list returns the files of the path in the order in which they are taken, whether complete or not.
func (f *folder) list(now time.Time) ([]candidate, error) {
	paths, err := filepath.Glob(f.pattern())
	if err != nil {
		return nil, fmt.Errorf("list %s: %w", f.settings.path, err)
	}
	var list []candidate
	for _, path := range paths {
		info, err := os.Stat(path)
		if errors.Is(err, fs.ErrNotExist) {
			continue // moved away since it was listed
		}
		if err != nil {
			return nil, cannotOpen(f.relative(path), err)
		}
		if !info.Mode().IsRegular() || f.ignores(path) {
			continue
		}
		c, err := f.candidate(path, info)
		if err != nil {
			return nil, err
		}
		c.complete = f.complete(&c, now)
		list = append(list, c)
	}
	f.forget(list)
	slices.SortFunc(list, compareCandidates)
	return list, nil
}

// ignores says that a name is one that programs give to unfinished or helper files.
func (f *folder) ignores(path string) bool {
	name := filepath.Base(path)
	if strings.HasPrefix(name, ".") || strings.HasPrefix(name, "~") || strings.HasSuffix(name, "~") {
		return true
	}
	switch strings.ToLower(filepath.Ext(name)) {
	case ".tmp", ".temp", ".part", ".partial", ".filepart", ".crdownload", ".swp", lostSuffix:
		return true
	case markerSuffix:
		return f.settings.marker
	}
	return false
}

func (f *folder) candidate(path string, info fs.FileInfo) (candidate, error) {
	c := candidate{path: path, name: f.relative(path), size: info.Size(), mtime: info.ModTime()}
	base := filepath.Base(path)
	c.set = "file"
	if re := f.settings.set; re != nil {
		m := re.FindStringSubmatch(base)
		if m == nil || m[1] == "" {
			return c, unnamed("set", c.name)
		}
		c.set = m[1]
	}
	c.order = fmt.Sprintf("%020d", max(c.mtime.UnixNano(), 0))
	if re := f.settings.order; re != nil {
		m := re.FindStringSubmatch(base)
		if m == nil || m[1] == "" {
			return c, unnamed("order", c.name)
		}
		c.order = m[1]
	}
	return c, nil
}

// unnamed is a file whose name an option's expression does not match. It stops the source: to read it without its set or
// its place would be wrong, and to pass over it would lose it.
func unnamed(option, name string) error {
	return stop(name, "文件名与 "+option+" 的正则表达式不匹配", "the file's name does not match the expression of "+option,
		connectors.Text{Zh: "改正 " + option + "，或用 path 排除该文件", En: "correct " + option + ", or narrow path so that the file is left out"})
}

// relative returns the name of a file for people: below the exchange directory where it is.
func (f *folder) relative(path string) string {
	if rel, err := filepath.Rel(f.dir, path); err == nil && filepath.IsLocal(rel) {
		return filepath.ToSlash(rel)
	}
	return filepath.ToSlash(path)
}

const markerSuffix, lostSuffix = ".ok", ".lost"

// complete says that nobody is writing the file any more. What counts is how long it has been seen unchanged, by this
// machine's clock: a file server's may differ, and programs that copy set the modification time as they like.
func (f *folder) complete(c *candidate, now time.Time) bool {
	if f.settings.marker {
		_, err := os.Stat(c.path + markerSuffix)
		return err == nil
	}
	before, ok := f.seen[c.path]
	if !ok || before.size != c.size || !before.mtime.Equal(c.mtime) {
		before = sighting{size: c.size, mtime: c.mtime, since: now}
		f.seen[c.path] = before
	}
	return now.Sub(before.since) >= f.settings.settle
}

// forget drops what is known of files that are gone.
func (f *folder) forget(list []candidate) {
	here := make(map[string]bool, len(list))
	for i := range list {
		here[list[i].path] = true
	}
	for path := range f.seen {
		if !here[path] {
			delete(f.seen, path)
		}
	}
	for path := range f.digests {
		if !here[path] {
			delete(f.digests, path)
		}
	}
}

func compareCandidates(a, b candidate) int {
	return cmp.Or(compareOrder(a.order, b.order), cmp.Compare(a.name, b.name))
}

// compareOrder compares what `order:` captured: numbers by value (9 before 10), all else as text. Dates written alike
// sort either way.
func compareOrder(a, b string) int {
	if isNumber(a) && isNumber(b) {
		a, b = strings.TrimLeft(a, "0"), strings.TrimLeft(b, "0")
		return cmp.Or(cmp.Compare(len(a), len(b)), cmp.Compare(a, b))
	}
	return cmp.Compare(a, b)
}

func isNumber(s string) bool {
	return s != "" && strings.IndexFunc(s, func(r rune) bool { return r < '0' || r > '9' }) < 0
}

// stop is a problem that only a person can solve.
func stop(where, zh, en string, try connectors.Text) error {
	return &connectors.Problem{Where: where, What: connectors.Text{Zh: zh, En: en}, Try: try, Err: connectors.ErrStop}
}
