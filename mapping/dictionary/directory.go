package dictionary

import (
	"io/fs"
	"path"
	"slices"
	"strings"

	"github.com/datong-dx/datong/internal/nearest"
)

// readLayout refuses what would otherwise be overlooked: a directory or file with a misspelt name.
func (l *loader) readLayout() {
	known := []string{manifestFile, codesFile, entitiesDir, codesDir}
	for _, e := range l.dir(".") {
		if !slices.Contains(known, e.Name()) && !ignored(e.Name()) {
			l.add(position{file: l.file(e.Name())}, nearest.Suggest(e.Name(), known), "数据字典目录中不认识的文件", "nothing of this name belongs in a dictionary")
		}
	}
}

// ignored are files that people keep beside the data.
func ignored(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasSuffix(name, ".md") || strings.HasSuffix(name, "~")
}

// dir lists a directory; one that is not there is empty, except the root.
func (l *loader) dir(name string) []fs.DirEntry {
	list, err := fs.ReadDir(l.root, name)
	if err != nil && (name == "." || !isMissing(err)) {
		l.addCause(position{file: l.file(name)}, err, "读取目录", "read the directory")
	}
	return list
}

// files calls fn for each file of a directory with the extension; any other file there is a problem.
func (l *loader) files(dir, extension string, fn func(base, file string, text []byte)) {
	for _, e := range l.dir(dir) {
		name := path.Join(dir, e.Name())
		if ignored(e.Name()) {
			continue
		}
		if e.IsDir() || path.Ext(e.Name()) != extension {
			l.add(position{file: l.file(name)}, noTry, "此目录只放 %s 文件", "this directory holds only %s files", extension)
			continue
		}
		if text, ok := l.read(name); ok {
			fn(strings.TrimSuffix(e.Name(), extension), l.file(name), text)
		}
	}
}

// read returns a file's text and whether it is there.
func (l *loader) read(name string) ([]byte, bool) {
	text, err := fs.ReadFile(l.root, name)
	if err != nil && !isMissing(err) {
		l.addCause(position{file: l.file(name)}, err, "读取文件", "read the file")
	}
	return text, err == nil
}

func (l *loader) file(name string) string { return path.Join(l.label, name) }
