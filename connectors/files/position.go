package files

import (
	"crypto/sha256"
	"encoding/json"
	"fmt"
	"slices"

	"github.com/datong-dx/datong/connectors"
)

// position is where a source stands. Its JSON is stored: any change of it is a new version.
//
// It stays bounded however many files were taken: digests of the recent ones only, and for each set the order of the last.
type position struct {
	Version int             `json:"v"`
	Path    string          `json:"path"`
	Taken   uint64          `json:"n"`                // deliveries begun so far; the current one's ordinal
	Last    map[string]last `json:"last,omitempty"`   // the newest delivery of each set
	Recent  []byte          `json:"recent,omitempty"` // digests of the newest finished deliveries, the oldest first
	File    *place          `json:"file,omitempty"`   // the delivery being read, nil between two
}

// last is the delivery that sorts last among those taken of a set.
type last struct {
	Order string `json:"order"`
	Name  string `json:"name"`
	Sum   []byte `json:"sum,omitempty"` // the beginning of its digest
}

// place is a delivery and where in it the next row begins.
type place struct {
	Name    string `json:"name"` // relative to the exchange directory
	Set     string `json:"set"`
	Order   string `json:"order"`
	Size    int64  `json:"size"`
	SHA256  []byte `json:"sha256"`
	Micros  int64  `json:"mtime"` // modification time, Unix microseconds
	Offset  int64  `json:"offset"`
	Line    int64  `json:"line"` // lines before the offset
	Row     int64  `json:"row"`  // rows before the offset
	Started bool   `json:"started,omitempty"`
}

const (
	positionVersion = 1
	// recentBytes of a digest are kept. Names and sizes are not: among so few deliveries, 64 bits do not collide.
	recentBytes = 8
	// recentMax bounds a position to some 6 kB. A file that is still there after so many newer ones sorts before the
	// last one taken and is held, never read again.
	recentMax = 512
	// setsMax bounds it too: more names than this are a `set:` that captures a date.
	setsMax = 256
)

func parsePosition(at connectors.Position, path string) (position, error) {
	p := position{Version: positionVersion, Path: path}
	if at == nil {
		return p, nil
	}
	p = position{}
	if err := json.Unmarshal(at, &p); err != nil {
		return p, fmt.Errorf("parse the position: %w: %w", connectors.ErrPosition, err)
	}
	switch {
	case p.Version != positionVersion:
		return p, fmt.Errorf("the position has version %d, this program knows %d: %w", p.Version, positionVersion, connectors.ErrPosition)
	case p.Path != path:
		return p, &connectors.Problem{
			Where: "path", Err: connectors.ErrPosition,
			What: connectors.Text{
				Zh: fmt.Sprintf("已读到的位置属于路径 %q，现在的路径是 %q", p.Path, path),
				En: fmt.Sprintf("the position belongs to path %q, not to %q", p.Path, path),
			},
			Try: connectors.Text{
				Zh: "把 path 改回去，或用 `datong pipeline reset` 全量重读并比较",
				En: "set path back, or read everything again with `datong pipeline reset`",
			},
		}
	case len(p.Recent)%recentBytes != 0 || p.File != nil && !p.File.valid():
		return p, fmt.Errorf("the position is damaged: %w", connectors.ErrPosition)
	}
	return p, nil
}

func (f *place) valid() bool {
	return f.Name != "" && len(f.SHA256) == sha256.Size && f.Offset >= 0 && f.Line >= 0 && f.Row >= 0 && f.Size >= 0 && f.Offset <= 4*f.Size
}

func (p *position) encode() connectors.Position {
	text, _ := json.Marshal(p) // cannot fail: strings, numbers and bytes
	return text
}

// begin makes a delivery the current one.
func (p *position) begin(f *place) {
	p.Taken++
	p.File = f
}

// finish remembers the current delivery as done.
func (p *position) finish() {
	f := p.File
	p.File = nil
	p.Recent = append(slices.Clip(p.Recent), f.SHA256[:recentBytes]...)
	if excess := len(p.Recent) - recentMax*recentBytes; excess > 0 {
		p.Recent = p.Recent[excess:]
	}
	if p.Last == nil {
		p.Last = map[string]last{}
	}
	if before, ok := p.Last[f.Set]; !ok || compareOrder(before.Order, f.Order) <= 0 {
		p.Last[f.Set] = last{Order: f.Order, Name: f.Name, Sum: f.SHA256[:recentBytes]}
	}
}

// finished returns the ordinal of the last delivery that is read to its end.
func (p *position) finished() uint64 {
	if p.File != nil {
		return p.Taken - 1
	}
	return p.Taken
}

// knows says that a delivery of this digest was finished recently.
func (p *position) knows(digest []byte) bool {
	for known := range slices.Chunk(p.Recent, recentBytes) {
		if string(known) == string(digest[:recentBytes]) {
			return true
		}
	}
	return false
}

// resumesIn says that the delivery of this digest is the one being read.
func (p *position) resumesIn(digest []byte) bool {
	return p.File != nil && string(p.File.SHA256) == string(digest)
}
