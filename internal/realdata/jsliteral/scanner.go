package jsliteral

import (
	"bytes"
	"encoding/json"
	"fmt"
	"regexp"
	"unicode/utf16"
	"unicode/utf8"
)

// decimal is a number that is the same in JSON.
var decimal = regexp.MustCompile(`^-?(?:0|[1-9]\d*)(?:\.\d+)?(?:[eE][+-]?\d+)?$`)

// scanner is a place in a script.
type scanner struct {
	text []byte
	at   int
	line int // of text[at], counted from 1
}

func (s *scanner) fail(what string) error { return fmt.Errorf("line %d: %s", s.line, what) }

// peek returns the next byte, 0 at the end.
func (s *scanner) peek() byte {
	if s.at == len(s.text) {
		return 0
	}
	return s.text[s.at]
}

func (s *scanner) peekRune() rune {
	r, _ := utf8.DecodeRune(s.text[s.at:])
	return r
}

// space passes over white space and comments.
func (s *scanner) space() error {
	for s.at < len(s.text) {
		rest := s.text[s.at:]
		switch {
		case rest[0] == '\n':
			s.line++
			s.at++
		case bytes.IndexByte([]byte(" \t\r\v\f"), rest[0]) >= 0:
			s.at++
		case bytes.HasPrefix(rest, []byte("//")):
			end := bytes.IndexByte(rest, '\n')
			if end < 0 {
				end = len(rest)
			}
			s.at += end
		case bytes.HasPrefix(rest, []byte("/*")):
			end := bytes.Index(rest[2:], []byte("*/"))
			if end < 0 {
				return s.fail("the comment that begins here is never closed")
			}
			s.line += bytes.Count(rest[:end+2], []byte("\n"))
			s.at += end + 4
		default:
			return nil
		}
	}
	return nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

// isNameByte takes every byte outside ASCII as part of a name, as Chinese member names are.
func isNameByte(c byte) bool {
	return c == '_' || c == '$' || isDigit(c) || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// name reads a bare name, which may be empty.
func (s *scanner) name() string {
	from := s.at
	for s.at < len(s.text) && isNameByte(s.text[s.at]) {
		s.at++
	}
	return string(s.text[from:s.at])
}

// builder puts a string together of plain text and of UTF-16 code units, two of which may be one character.
type builder struct {
	out   []byte
	units []uint16
}

func (b *builder) add(text string) {
	b.out = append(b.out, string(utf16.Decode(b.units))...)
	b.units = b.units[:0]
	b.out = append(b.out, text...)
}

// quoted reads a string in any of the three kinds of quotes.
func (s *scanner) quoted() (string, error) {
	quote, from := s.text[s.at], s.line
	s.at++
	var b builder
	for s.at < len(s.text) {
		c := s.text[s.at]
		switch {
		case c == '\\':
			if err := s.escape(&b); err != nil {
				return "", err
			}
			continue
		case c == '\n' && quote != '`':
			return "", s.fail("the string is not closed on its line")
		case c == '\n':
			s.line++
		case quote == '`' && bytes.HasPrefix(s.text[s.at:], []byte("${")):
			return "", s.fail("a template string holds ${…}, and only literals are read")
		}
		s.at++
		if c != quote {
			b.add(string([]byte{c}))
			continue
		}
		b.add("")
		if !utf8.Valid(b.out) {
			return "", s.fail("the string is not UTF-8")
		}
		return string(b.out), nil
	}
	return "", fmt.Errorf("line %d: the string is never closed", from)
}

// simpleEscapes are those of one character; a character that is not among them stands for itself.
var simpleEscapes = map[byte]string{'n': "\n", 't': "\t", 'r': "\r", 'b': "\b", 'f': "\f", 'v': "\v", '0': "\x00", '\n': ""}

// escape reads an escape, from its backslash on.
func (s *scanner) escape(b *builder) error {
	s.at++
	if s.at == len(s.text) {
		return s.fail("the file ends within a string")
	}
	c := s.text[s.at]
	s.at++
	switch c {
	case 'x':
		n, err := s.hex(2)
		b.units = append(b.units, uint16(n))
		return err
	case 'u':
		units, err := s.unicode()
		b.units = append(b.units, units...)
		return err
	case '\n':
		s.line++
	}
	text, ok := simpleEscapes[c]
	if !ok {
		text = string([]byte{c})
	}
	b.add(text)
	return nil
}

// unicode reads the digits of \uFFFF or \u{10FFFF}.
func (s *scanner) unicode() ([]uint16, error) {
	if s.peek() != '{' {
		n, err := s.hex(4)
		return []uint16{uint16(n)}, err
	}
	s.at++
	width := bytes.IndexByte(s.text[s.at:], '}')
	if width < 1 || width > 6 {
		return nil, s.fail(`\u{…} holds no number of a character`)
	}
	n, err := s.hex(width)
	if err != nil || n > utf8.MaxRune {
		return nil, s.fail(`\u{…} holds no number of a character`)
	}
	s.at++
	return utf16.Encode([]rune{rune(n)}), nil
}

func (s *scanner) hex(width int) (n uint32, err error) {
	for range width {
		c := s.peek()
		switch {
		case isDigit(c):
			n = n<<4 | uint32(c-'0')
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			n = n<<4 | uint32(c|0x20-'a'+10)
		default:
			return 0, s.fail(fmt.Sprintf("an escape needs %d hexadecimal digits", width))
		}
		s.at++
	}
	return n, nil
}

// string reads a string and writes it.
func (r *reader) string() error {
	text, err := r.quoted()
	if err == nil {
		r.out = appendText(r.out, text)
	}
	return err
}

// appendText appends a JSON string, with <, > and & as they are.
func appendText(out []byte, text string) []byte {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	_ = e.Encode(text) // a string in a buffer: cannot go wrong
	return append(out, bytes.TrimSuffix(b.Bytes(), []byte("\n"))...)
}
