package files

import (
	"crypto/sha256"
	"errors"
	"fmt"
	"hash"
	"io"
	"os"
	"time"
	"unicode/utf8"
)

// digested is what one reading of a whole file told.
type digested struct {
	size   int64
	mtime  time.Time
	sum    []byte // SHA-256
	utf8   bool   // all of it is UTF-8
	prefix []byte // SHA-256 of its first bytes, as many as were asked for; nil when it has fewer
}

const hashChunk = 1 << 20

// digest returns the digest of a file, from memory when it looks as it did before.
func (f *folder) digest(live alive, c *candidate) (digested, error) {
	if d, ok := f.digests[c.path]; ok && d.size == c.size && d.mtime.Equal(c.mtime) {
		return d, nil
	}
	d, err := digestFile(live, c, -1)
	if err == nil {
		f.digests[c.path] = d
	}
	return d, err
}

// digestFile reads a file once. prefix asks for the digest of that many first bytes as well, unless it is negative.
func digestFile(live alive, c *candidate, prefix int64) (digested, error) {
	file, err := os.Open(c.path)
	if err != nil {
		return digested{}, cannotOpen(c.name, err)
	}
	defer file.Close()
	d := digested{mtime: c.mtime, utf8: true}
	h := sha256.New()
	buf := make([]byte, hashChunk)
	kept := 0 // bytes of a character cut by the end of the last chunk, at the front of buf
	for {
		if err := live(); err != nil {
			return digested{}, err
		}
		n, err := file.Read(buf[kept:])
		d.add(h, buf[kept:kept+n], prefix)
		kept = d.checkUTF8(buf[:kept+n])
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return digested{}, fmt.Errorf("read %s: %w", c.name, err)
		}
	}
	d.utf8 = d.utf8 && kept == 0
	d.sum = h.Sum(nil)
	return d, nil
}

func (d *digested) add(h hash.Hash, p []byte, prefix int64) {
	if head := prefix - d.size; head >= 0 && head <= int64(len(p)) && d.prefix == nil {
		h.Write(p[:head])
		d.prefix = h.Sum(nil)
		h.Write(p[head:])
	} else {
		h.Write(p)
	}
	d.size += int64(len(p))
}

// checkUTF8 checks all whole characters of p, moves what is left of a cut one to the front and returns its length.
func (d *digested) checkUTF8(p []byte) int {
	if !d.utf8 {
		return 0
	}
	end := len(p)
	for back := 1; back <= min(utf8.UTFMax-1, len(p)); back++ {
		if b := p[len(p)-back]; utf8.RuneStart(b) {
			if !utf8.FullRune(p[len(p)-back:]) {
				end = len(p) - back
			}
			break
		}
	}
	d.utf8 = utf8.Valid(p[:end])
	return copy(p, p[end:])
}
