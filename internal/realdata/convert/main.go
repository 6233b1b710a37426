// Convert turns two shapes in which public data is often published, and which no connector reads, into JSON:
//
//	go run ./internal/realdata/convert -o DIR FILE…
//
// A JavaScript file that holds one literal, NAME.js, becomes DIR/NAME.json. The INSERT statements of an SQL file,
// whatever its name, become DIR/TABLE.jsonl, one object a line with the columns in their order. Nothing else about the
// data changes: what the values mean is for a mapping to say.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"

	"github.com/datong-dx/datong/internal/realdata/jsliteral"
	"github.com/datong-dx/datong/internal/realdata/sqlinsert"
)

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

// run returns the exit code: 0 done, 1 a file could not be converted, 2 wrong use.
func run(args []string, stdout, stderr io.Writer) int {
	flags := flag.NewFlagSet("convert", flag.ContinueOnError)
	flags.SetOutput(stderr)
	dir := flags.String("o", "", "the folder to write to; it is made when missing")
	backslash := flags.Bool("backslash", false, "a backslash in an SQL string is an escape, as in MySQL")
	if err := flags.Parse(args); err != nil {
		if errors.Is(err, flag.ErrHelp) {
			return 0
		}
		return 2
	}
	if *dir == "" || flags.NArg() == 0 {
		fmt.Fprintln(stderr, "usage: convert -o DIR [-backslash] FILE.js|FILE.sql …")
		return 2
	}
	c := &converter{dir: *dir, options: sqlinsert.Options{Backslash: *backslash}, tables: map[string]*table{}}
	if err := c.convert(flags.Args()); err != nil {
		fmt.Fprintln(stderr, "error:", err)
		return 1
	}
	for _, line := range c.done {
		fmt.Fprintln(stdout, line)
	}
	return 0
}

// converter is one call of the command.
type converter struct {
	dir     string
	options sqlinsert.Options
	tables  map[string]*table // by name, over all the SQL files
	names   []string          // of the tables, as they came
	done    []string          // what was written
}

// convert writes nothing of a table or literal before all the files were read without an error.
func (c *converter) convert(files []string) error {
	literals := map[string][]byte{}
	for _, file := range files {
		content, err := os.ReadFile(file)
		if err != nil {
			return err
		}
		switch ext := strings.ToLower(filepath.Ext(file)); ext {
		case ".js", ".mjs", ".cjs":
			name := strings.TrimSuffix(filepath.Base(file), filepath.Ext(file)) + ".json"
			literals[name], err = jsliteral.ToJSON(content)
		case ".sql":
			err = sqlinsert.Read(string(content), c.options, c.row)
		default:
			err = errors.New("only .js and .sql files are converted")
		}
		if err != nil {
			return fmt.Errorf("convert %s: %w", file, err)
		}
	}
	if err := os.MkdirAll(c.dir, 0o755); err != nil {
		return err
	}
	for name, content := range literals {
		if err := c.write(name, content, ""); err != nil {
			return err
		}
	}
	for _, name := range c.names {
		t := c.tables[name]
		if err := c.write(name+".jsonl", t.lines, fmt.Sprintf(", %d rows", t.rows)); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) write(name string, content []byte, about string) error {
	path := filepath.Join(c.dir, name)
	c.done = append(c.done, path+about)
	return os.WriteFile(path, content, 0o644)
}
