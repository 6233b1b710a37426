package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"

	"go.yaml.in/yaml/v3"
)

// maxSecretBytes is more than any password, token or private key needs.
const maxSecretBytes = 64 << 10

var variableName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)

// substitute replaces ${env:X} and ${file:/path} in every scalar below n; $${ stands for a literal ${. Keys are left
// alone.
func (d *document) substitute(n *yaml.Node) {
	switch n.Kind {
	case yaml.ScalarNode:
		if strings.Contains(n.Value, "${") {
			d.written[n] = n.Value
			n.Value = d.expand(n)
		}
	case yaml.MappingNode:
		for i := 1; i < len(n.Content); i += 2 {
			d.substitute(n.Content[i])
		}
	case yaml.SequenceNode:
		for _, c := range n.Content {
			d.substitute(c)
		}
	}
}

// expand returns the scalar's text with every reference replaced.
func (d *document) expand(n *yaml.Node) string {
	before := len(d.problems.list)
	defer func() { d.broken[n] = len(d.problems.list) > before }()
	var out strings.Builder
	rest := n.Value
	for {
		at := strings.Index(rest, "${")
		if at < 0 {
			return out.String() + rest
		}
		if at > 0 && rest[at-1] == '$' {
			out.WriteString(rest[:at-1] + "${")
			rest = rest[at+2:]
			continue
		}
		out.WriteString(rest[:at])
		ref, after, closed := strings.Cut(rest[at+2:], "}")
		if !closed {
			d.report(n, text("“${”之后缺少“}”", "${ is never closed by }"), text("字面的 ${ 写成 $${", "write $${ for a literal ${"))
			return n.Value
		}
		out.WriteString(d.lookup(n, ref))
		rest = after
	}
}

// lookup returns what a reference stands for. A file's last line break is dropped, since editors add one.
func (d *document) lookup(n *yaml.Node, ref string) string {
	kind, name, _ := strings.Cut(ref, ":")
	switch {
	case kind == "env" && name != "":
		value, set := os.LookupEnv(name)
		if !set {
			d.report(n, text("环境变量 %s 没有设置", "the environment variable %s is not set", name),
				text("启动前执行 export %s=…", "export %s=… before starting", name))
		}
		return value
	case kind == "file" && name != "":
		path := name
		if !filepath.IsAbs(path) {
			path = filepath.Join(d.dir, path)
		}
		raw, err := readFile(path, maxSecretBytes)
		if err != nil {
			d.report(n, text("无法读取 ${file:…} 所指的文件 %s：%v", "cannot read %s, named by ${file:…}: %v", path, cause(err)),
				text("检查路径和读权限", "check the path and who may read it"))
		}
		return strings.TrimSuffix(strings.TrimSuffix(string(raw), "\n"), "\r")
	}
	d.unknownReference(n, ref)
	return ""
}

// unknownReference says what may stand between ${ and }. The reference is only shown when it looks like a variable's
// name: it may as well be part of a password.
func (d *document) unknownReference(n *yaml.Node, ref string) {
	what := text("${…} 中应为 env: 或 file:", "${…} must name env: or file:")
	if variableName.MatchString(ref) {
		d.report(n, what, text("写 ${env:%s}", "write ${env:%s}", ref))
		return
	}
	d.report(n, what, text("写 ${env:变量名} 或 ${file:/路径}；字面的 ${ 写成 $${", "write ${env:NAME} or ${file:/path}; $${ for a literal ${"))
}
