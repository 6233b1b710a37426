package config

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"

	"go.yaml.in/yaml/v3"

	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/yamlsyntax"
)

// maxFileBytes is far above any configuration written by people.
const maxFileBytes = 4 << 20

// document is one YAML file being read: where problems are reported, and which scalars had secrets put in.
type document struct {
	path     string
	dir      string // the exchange directory, against which ${file:…} is resolved
	problems *problems
	written  map[*yaml.Node]string // what stood in the file before ${…} was replaced
	broken   map[*yaml.Node]bool   // scalars whose ${…} stands for nothing, which was reported
}

// readDocument reads a YAML file and returns its root mapping, or nil after reporting what keeps it from being read.
func readDocument(path, dir string, ps *problems) (*document, *yaml.Node) {
	d := &document{path: path, dir: dir, problems: ps, written: map[*yaml.Node]string{}, broken: map[*yaml.Node]bool{}}
	raw, err := readFile(path, maxFileBytes)
	if err != nil {
		ps.add(path, text("无法读取配置文件：%v", "cannot read the file: %v", cause(err)), nothing)
		return d, nil
	}
	root := d.parse(raw)
	if root == nil || !d.plain(root) {
		return d, nil
	}
	return d, root
}

// readFile reads a whole file of at most limit bytes.
func readFile(path string, limit int64) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	raw, err := io.ReadAll(io.LimitReader(f, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(raw)) > limit {
		return nil, fmt.Errorf("larger than %d bytes", limit)
	}
	return raw, nil
}

// cause strips the path and operation that os puts before the reason; the problem's place names the file already.
func cause(err error) error {
	if pe, ok := errors.AsType[*os.PathError](err); ok {
		return pe.Err
	}
	return err
}

// parse returns the root mapping of the only YAML document in raw.
func (d *document) parse(raw []byte) *yaml.Node {
	raw = bytes.TrimPrefix(raw, []byte("\xef\xbb\xbf"))
	dec := yaml.NewDecoder(bytes.NewReader(raw))
	var doc, second yaml.Node
	if err := dec.Decode(&doc); errors.Is(err, io.EOF) {
		d.problems.add(d.path, text("文件是空的", "the file is empty"), nothing)
		return nil
	} else if err != nil {
		d.problems.join(yamlsyntax.Problem(d.path, raw, err))
		return nil
	}
	if err := dec.Decode(&second); err == nil {
		d.problems.add(d.where(&second), text("一个文件只能有一个 YAML 文档", "a file holds one YAML document, a second begins here"),
			text("删去 “---”，或另存为一个文件", "remove the --- line, or move what follows to a file of its own"))
		return nil
	} else if !errors.Is(err, io.EOF) {
		d.problems.join(yamlsyntax.Problem(d.path, raw, err))
		return nil
	}
	if len(doc.Content) == 0 {
		d.problems.add(d.path, text("文件是空的", "the file is empty"), nothing)
		return nil
	}
	root := doc.Content[0]
	if root.Kind != yaml.MappingNode {
		d.problems.add(d.where(root), text("此处应为“键: 值”，实为%[1]s", "expected `key: value` lines, found %[2]s", describeZh(root), describeEn(root)), nothing)
		return nil
	}
	return root
}

// plain refuses what a configuration does not need and what could make it endless: anchors and aliases.
func (d *document) plain(n *yaml.Node) bool {
	if n.Kind == yaml.AliasNode || n.Anchor != "" {
		d.problems.add(d.where(n), text("此处不支持 YAML 锚点和别名（& 和 *）", "YAML anchors and aliases (& and *) are not read here"),
			text("把值直接写出来；以 * 或 & 开头的文字要加引号", "write the value out; quote a text that begins with * or &"))
		return false
	}
	ok := true
	for _, c := range n.Content {
		ok = d.plain(c) && ok
	}
	return ok
}

// where returns file:line:column of a node.
func (d *document) where(n *yaml.Node) string {
	return d.path + ":" + strconv.Itoa(n.Line) + ":" + strconv.Itoa(n.Column)
}

// report adds a problem at a node.
func (d *document) report(n *yaml.Node, what, try connectors.Text) {
	d.problems.add(d.where(n), what, try)
}

// shown returns a scalar as it stands in the file, so that no message shows what ${…} was replaced by.
func (d *document) shown(n *yaml.Node) string {
	if s, replaced := d.written[n]; replaced {
		return s
	}
	return n.Value
}

func describeEn(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "a map"
	case n.Kind == yaml.SequenceNode:
		return "a list"
	case n.Tag == "!!null":
		return "nothing"
	}
	return "a single value"
}

func describeZh(n *yaml.Node) string {
	switch {
	case n.Kind == yaml.MappingNode:
		return "映射"
	case n.Kind == yaml.SequenceNode:
		return "列表"
	case n.Tag == "!!null":
		return "空值"
	}
	return "单个值"
}
