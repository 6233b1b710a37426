package sqlinsert

import (
	"fmt"
	"regexp"
	"strings"
	"unicode/utf8"
)

type kind uint8

const (
	end        kind = iota
	word            // a bare name or keyword
	quotedName      // "a", `a`, [a]
	text            // 'a'
	number          // 1, -1.5, 1e3
	mark            // one character of punctuation
)

// lexer cuts SQL into tokens.
type lexer struct {
	text      string
	at        int
	line      int // of text[at]
	backslash bool

	kind  kind   // of the token that was read last
	token string // its text, without quotes and escapes
	start int    // the line it begins on
}

// numeral is a number at the beginning of a text.
var numeral = regexp.MustCompile(`^[+-]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][+-]?\d+)?`)

// fail says what is wrong with the token that was read last.
func (l *lexer) fail(what string) error { return fmt.Errorf("line %d: %s", l.start, what) }

// is says that the last token is a keyword or a mark.
func (l *lexer) is(s string) bool {
	return (l.kind == word || l.kind == mark) && strings.EqualFold(l.token, s)
}

// shown describes the last token. What a string holds is a row's content and is not shown.
func (l *lexer) shown() string {
	switch l.kind {
	case end:
		return "the end of the file"
	case text:
		return "a string"
	}
	return l.token
}

// next reads the next token.
func (l *lexer) next() error {
	if err := l.space(); err != nil {
		return err
	}
	l.start = l.line
	if l.at == len(l.text) {
		l.kind, l.token = end, ""
		return nil
	}
	rest := l.text[l.at:]
	switch c := rest[0]; {
	case c == '\'':
		return l.quoted(text, '\'')
	case c == '"' || c == '`':
		return l.quoted(quotedName, c)
	case c == '[':
		return l.quoted(quotedName, ']')
	case numeral.MatchString(rest):
		l.take(number, len(numeral.FindString(rest)))
	case isNameByte(c):
		n := 1
		for n < len(rest) && isNameByte(rest[n]) {
			n++
		}
		l.take(word, n)
	default:
		_, n := utf8.DecodeRuneInString(rest)
		l.take(mark, n)
	}
	return nil
}

func (l *lexer) take(k kind, n int) {
	l.kind, l.token = k, l.text[l.at:l.at+n]
	l.at += n
}

func isNameByte(c byte) bool {
	return c == '_' || c == '$' || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= utf8.RuneSelf
}

// space passes over white space and comments.
func (l *lexer) space() error {
	for l.at < len(l.text) {
		rest := l.text[l.at:]
		switch {
		case rest[0] == '\n':
			l.line++
			l.at++
		case strings.IndexByte(" \t\r\f\v", rest[0]) >= 0:
			l.at++
		case strings.HasPrefix(rest, "--"), rest[0] == '#':
			n := strings.IndexByte(rest, '\n')
			if n < 0 {
				n = len(rest)
			}
			l.at += n
		case strings.HasPrefix(rest, "/*"):
			n := strings.Index(rest[2:], "*/")
			if n < 0 {
				return fmt.Errorf("line %d: the comment that begins here is never closed", l.line)
			}
			l.line += strings.Count(rest[:n+2], "\n")
			l.at += n + 4
		default:
			return nil
		}
	}
	return nil
}

// quoted reads a token up to its closing quote; a doubled one is part of it.
func (l *lexer) quoted(k kind, closing byte) error {
	var b strings.Builder
	for i := l.at + 1; i < len(l.text); i++ {
		c := l.text[i]
		switch {
		case c == closing && i+1 < len(l.text) && l.text[i+1] == closing:
			i++
		case c == closing:
			l.kind, l.token, l.at = k, b.String(), i+1
			if !utf8.ValidString(l.token) {
				return l.fail("a string is not UTF-8")
			}
			return nil
		case c == '\\' && l.backslash && k == text && i+1 < len(l.text):
			i++
			c = unescape(l.text[i])
		case c == '\n':
			l.line++
		}
		b.WriteByte(c)
	}
	return l.fail("the quote that opens here is never closed")
}

// unescape returns what a character behind a backslash means in MySQL.
func unescape(c byte) byte {
	switch c {
	case 'n':
		return '\n'
	case 't':
		return '\t'
	case 'r':
		return '\r'
	case '0':
		return 0
	case 'b':
		return '\b'
	case 'Z':
		return 0x1a
	}
	return c
}
