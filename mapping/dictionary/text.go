package dictionary

import (
	"fmt"
	"io"
	"strings"
	"unicode/utf8"
)

// grid writes aligned columns. A Chinese character takes two places on a terminal, which text/tabwriter does not know.
type grid struct {
	rows [][]string
}

func (g *grid) row(cells ...string) { g.rows = append(g.rows, cells) }

// write prints the rows with two spaces between columns and none at the end of a line.
func (g *grid) write(w io.Writer, indent string) error {
	var widths []int
	for _, row := range g.rows {
		for i, cell := range row {
			if i == len(widths) {
				widths = append(widths, 0)
			}
			widths[i] = max(widths[i], width(cell))
		}
	}
	var b strings.Builder
	for _, row := range g.rows {
		line := indent
		for i, cell := range row {
			line += cell
			if i < len(row)-1 {
				line += strings.Repeat(" ", widths[i]-width(cell)+2)
			}
		}
		b.WriteString(strings.TrimRight(line, " ") + "\n")
	}
	_, err := io.WriteString(w, b.String())
	return err
}

// width is how many places a text takes on a terminal.
func width(s string) int {
	n := 0
	for _, r := range s {
		n++
		if wide(r) {
			n++
		}
	}
	return n
}

// wide reports whether a terminal gives a character two places: the East Asian wide and full-width blocks that Chinese
// texts use.
func wide(r rune) bool {
	switch {
	case r < 0x1100:
		return false
	case r <= 0x115F, r >= 0x2E80 && r <= 0xA4CF, r >= 0xAC00 && r <= 0xD7A3, r >= 0xF900 && r <= 0xFAFF,
		r >= 0xFE30 && r <= 0xFE4F, r >= 0xFF00 && r <= 0xFF60, r >= 0xFFE0 && r <= 0xFFE6, r >= 0x20000 && r <= 0x3FFFD:
		return true
	}
	return false
}

// wrap breaks a text into lines of at most limit places: between words, and anywhere between Chinese characters, except
// that closing punctuation stays with what it closes.
func wrap(s string, limit int) []string {
	var lines []string
	for width(s) > limit {
		cut := breakAt(s, limit)
		lines = append(lines, strings.TrimRight(s[:cut], " "))
		s = strings.TrimLeft(s[cut:], " ")
	}
	return append(lines, s)
}

// breakAt returns the last place at which s can be broken within the limit, or the limit itself.
func breakAt(s string, limit int) int {
	best, places := 0, 0
	var before rune
	for i, r := range s {
		if i > 0 && (r == ' ' || (wide(r) || wide(before)) && !strings.ContainsRune("，。；：、！？）》”", r) && !strings.ContainsRune("（《“", before)) {
			best = i
		}
		if places += width(string(r)); places > limit {
			if best == 0 {
				best = max(i, utf8.RuneLen(r))
			}
			return best
		}
		before = r
	}
	return len(s)
}

// printer writes until the first error and keeps it.
type printer struct {
	w    io.Writer
	lang string
	err  error
}

func (p *printer) printf(format string, args ...any) {
	if p.err == nil {
		_, p.err = fmt.Fprintf(p.w, format, args...)
	}
}

func (p *printer) grid(g *grid, indent string) {
	if p.err == nil {
		p.err = g.write(p.w, indent)
	}
}

// paragraph prints a text wrapped to 100 places, nothing when it is empty.
func (p *printer) paragraph(s, indent string) {
	if s == "" {
		return
	}
	for _, line := range wrap(s, 100-len(indent)) {
		p.printf("%s%s\n", indent, line)
	}
}

// say returns the wording in the printer's language.
func (p *printer) say(zh, en string) string {
	if p.lang == "zh" {
		return zh
	}
	return en
}
