package mapping

import (
	"errors"
	"fmt"
	"math"
	"slices"
	"time"

	"github.com/expr-lang/expr"
	"github.com/expr-lang/expr/ast"
	"github.com/expr-lang/expr/patcher"
	"github.com/expr-lang/expr/vm"

	"github.com/datong-dx/datong/connectors"
)

// expression is a compiled expression of the expr language. Columns are variables by their names, or row["name"].
type expression struct {
	source  string
	program *vm.Program
	columns []string // sorted
}

// newExpression compiles source; a condition must give true or false. An expression sees the row and nothing else: no
// clock, so that the same row always gives the same record.
func newExpression(source string, condition bool) (*expression, error) {
	find := &columnFinder{local: map[string]bool{}}
	options := []expr.Option{
		expr.Env(map[string]any{}), expr.AllowUndefinedVariables(), expr.Patch(find),
		expr.Patch(patcher.WithTimezone{Location: connectors.ChinaStandardTime}), expr.DisableBuiltin("now"),
	}
	if condition {
		options = append(options, expr.AsBool())
	}
	program, err := expr.Compile(source, options...)
	if err != nil {
		return nil, err
	}
	if find.err != nil {
		return nil, find.err
	}
	if find.rows > 0 {
		return nil, &expressionError{`row 不能单独使用：写 row["列名"]`, `row stands alone: write row["name"]`}
	}
	e := &expression{source: source, program: program}
	for _, name := range find.found {
		if !find.local[name] {
			e.columns = append(e.columns, name)
		}
	}
	slices.Sort(e.columns)
	e.columns = slices.Compact(e.columns)
	return e, nil
}

// expressionError is a mistake in an expression that is ours to tell, not the compiler's.
type expressionError connectors.Text

func (e *expressionError) Error() string { return e.En }

// columnFinder notes the columns that an expression reads, and turns row["name"] into the variable of that name.
type columnFinder struct {
	found []string
	local map[string]bool // names that `let` gives
	rows  int             // times that row stands alone
	err   error
}

// Visit is called for each node, the inner ones first.
func (f *columnFinder) Visit(node *ast.Node) {
	switch n := (*node).(type) {
	case *ast.VariableDeclaratorNode:
		f.local[n.Name] = true
	case *ast.CallNode:
		if id, ok := n.Callee.(*ast.IdentifierNode); ok {
			f.err = &expressionError{"没有函数 " + id.Value, "there is no function " + id.Value}
		}
	case *ast.IdentifierNode:
		if n.Value == "$env" {
			f.err = &expressionError{"不能使用 $env，请写列名", "$env is not available: name the columns"}
		}
		if n.Value == "row" {
			f.rows++
			return
		}
		f.found = append(f.found, n.Value)
	case *ast.MemberNode:
		f.member(node, n)
	}
}

func (f *columnFinder) member(node *ast.Node, n *ast.MemberNode) {
	if id, ok := n.Node.(*ast.IdentifierNode); !ok || id.Value != "row" {
		return
	}
	name, ok := n.Property.(*ast.StringNode)
	if !ok {
		f.err = &expressionError{`row 后应为引号中的列名：row["列名"]`, `row takes a column's name in quotes: row["name"]`}
		return
	}
	f.rows--
	f.found = append(f.found, name.Value)
	ast.Patch(node, &ast.IdentifierNode{Value: name.Value})
}

// run computes the expression over the variables.
func (e *expression) run(machine *vm.VM, variables map[string]any) (any, error) {
	return machine.Run(e.program, variables)
}

// variable turns a column's value into what an expression sees: nil, a string, an int, a float64 or a bool. Decimals
// stay exact as text, and so do dates (2006-01-02) and times.
func variable(v connectors.Value, nulls *nullWords) any {
	switch v.Kind() {
	case connectors.KindAbsent, connectors.KindNull:
		return nil
	case connectors.KindInt:
		return int(v.Int())
	case connectors.KindFloat:
		return v.Float()
	case connectors.KindBool:
		return v.Bool()
	case connectors.KindText, connectors.KindBytes:
		b := trim(v.Bytes())
		if nulls.has(b) {
			return nil
		}
		return string(b)
	}
	return string(v.AppendText(nil))
}

// valueOf turns an expression's result into a value; texts are copied to scratch.
func (m *Mapper) valueOf(result any) (connectors.Value, error) {
	switch r := result.(type) {
	case nil:
		return connectors.Null(), nil
	case string:
		return connectors.String(m.keep(r)), nil
	case bool:
		return connectors.Bool(r), nil
	case int:
		return connectors.Int(int64(r)), nil
	case int64:
		return connectors.Int(r), nil
	case float64:
		if math.IsNaN(r) || math.IsInf(r, 0) {
			return connectors.Null(), errors.New("the result is not a number")
		}
		return connectors.Float(r), nil
	case time.Time:
		return connectors.Timestamp(r.UnixMicro()), nil
	case []any:
		return m.listOf(r)
	}
	return connectors.Null(), fmt.Errorf("the result is a %T", result)
}

// listOf turns a list of results into a JSON array.
func (m *Mapper) listOf(items []any) (connectors.Value, error) {
	out := []byte{'['}
	for i, item := range items {
		v, err := m.valueOf(item)
		if err != nil {
			return v, err
		}
		if i > 0 {
			out = append(out, ',')
		}
		switch v.Kind() {
		case connectors.KindNull:
			out = append(out, "null"...)
		case connectors.KindText:
			out = appendString(out, v.Bytes(), true)
		case connectors.KindJSON:
			return v, errors.New("the result is a list of lists")
		default:
			out = v.AppendText(out)
		}
	}
	return connectors.JSON(append(out, ']')), nil
}
