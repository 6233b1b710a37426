package pipeline

import (
	"bytes"
	"context"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"sync"

	"github.com/zeebo/xxh3"

	"github.com/datong-dx/datong/broker"
	"github.com/datong-dx/datong/connectors"
	"github.com/datong-dx/datong/internal/keyindex"
	"github.com/datong-dx/datong/mapping"
)

// feed is one set feeding one entity. Mappers only read it; what changes belongs to the judge.
type feed struct {
	set      string
	entity   string
	topic    string
	plan     *mapping.Plan
	envelope *broker.Envelope
	shared   bool // other sets of the department feed the entity as well

	// keyIsRow says that the columns that identify a row in its source are those that make the entity's key, so that
	// two rows of one key are two states of one row.
	keyIsRow bool
	// unique says that the source itself guarantees that.
	unique bool

	// The judge's.
	index   *keyindex.Index // nil until needed
	refused *keyindex.Index // hashes of the rows refused by the running comparison, nil until there are any
	compare bool            // a comparison is running
	before  int64           // own keys on the topic when it began
	latest  []byte          // the highest ce_sequence of its own records on the topic then
}

// needsIndex says that the feed's rows cannot be judged without knowing what is on the topic.
func (f *feed) needsIndex() bool { return !f.keyIsRow || f.shared }

// feeds hands out one feed per set and entity.
type feeds struct {
	p  *Pipeline
	mu sync.Mutex
	m  map[[2]string]*feed
}

func newFeeds(p *Pipeline) *feeds { return &feeds{p: p, m: map[[2]string]*feed{}} }

// get returns the feed of a plan for the rows of a table.
func (fs *feeds) get(plan *mapping.Plan, t *connectors.Table) *feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	name := plan.Entity().Name
	at := [2]string{t.Name, name}
	if f := fs.m[at]; f != nil {
		return f
	}
	p := fs.p
	f := &feed{
		set: t.Name, entity: name, topic: p.topic(name), plan: plan,
		envelope: broker.NewEnvelope(p.opt.Department, p.opt.Name, t.Name, name, p.opt.Dictionary),
		shared:   slices.Contains(p.opt.Shared, name),
		keyIsRow: keyIsRow(plan, t),
	}
	f.unique = f.keyIsRow && t.Unique
	fs.m[at] = f
	return f
}

// of returns the feeds of a set in order of their entities, so that every attempt treats them alike.
func (fs *feeds) of(set string) []*feed {
	fs.mu.Lock()
	defer fs.mu.Unlock()
	var list []*feed
	for _, plan := range fs.p.opt.Plans {
		if f := fs.m[[2]string{set, plan.Entity().Name}]; f != nil {
			list = append(list, f)
		}
	}
	return list
}

func (fs *feeds) close() {
	for _, f := range fs.m {
		f.drop()
		f.forgetRefused()
	}
}

// forgetRefused ends what is known of the rows that a comparison met and that were refused.
func (f *feed) forgetRefused() {
	if f.refused != nil {
		_ = f.refused.Close() // an unlinked temporary file
		f.refused = nil
	}
}

func (f *feed) drop() {
	if f.index != nil {
		_ = f.index.Close() // an unlinked temporary file
		f.index = nil
	}
}

// keyIsRow says whether the plain source columns of the entity's key are those of the table's key; where the table has
// none, the entity's key is taken to identify the row.
func keyIsRow(plan *mapping.Plan, t *connectors.Table) bool {
	cols, plain := plan.KeyColumns()
	if !plain {
		return false
	}
	if len(t.Key) == 0 {
		return true
	}
	if len(cols) != len(t.Key) {
		return false
	}
	for _, k := range t.Key {
		if !slices.Contains(cols, t.Columns[k].Name) {
			return false
		}
	}
	return true
}

// load reads the entity's topic into the feed's index: for every key the digest last published, and by whom.
func (f *feed) load(ctx context.Context, p *Pipeline) error {
	f.drop()
	f.index = keyindex.New(p.opt.TempDir)
	f.before, f.latest = 0, f.latest[:0]
	if p.opt.Client == nil {
		return nil
	}
	_, err := p.opt.Client.Scan(ctx, f.topic, nil, func(_ int32, r *broker.Record) error {
		key := xxh3.Hash(r.Key)
		own := string(r.Header(broker.HeaderSource)) == f.envelope.Source()
		if at := r.Header(broker.HeaderSequence); own && bytes.Compare(at, f.latest) > 0 {
			f.latest = append(f.latest[:0], at...)
		}
		if r.Value == nil {
			return f.index.Set(key, 0, 0, 0)
		}
		flags := uint64(keyindex.Live)
		if !own {
			flags |= keyindex.Foreign
		}
		return f.index.Set(key, parseHash(r.Header(broker.HeaderDigest)), parseHash(r.Header(broker.HeaderRow)), flags)
	})
	if err != nil {
		return err
	}
	return f.index.Each(func(e keyindex.Entry) {
		if e.Flags&keyindex.Foreign == 0 {
			f.before++
		}
	})
}

// load reads what the pipeline has published of some feeds. What it has judged so far arrives on the topic first: a row on
// its way there would be taken for new when it is met again, and would not be missed when it is gone.
func (g *judge) load(work context.Context, list ...*feed) error {
	if err := g.settle(work); err != nil {
		return err
	}
	for _, f := range list {
		if err := f.load(work, g.Pipeline); err != nil {
			return fmt.Errorf("read what %s has published of %s: %w", g.ID(), f.set, err)
		}
	}
	return nil
}

// acquaint loads the feeds of a batch whose rows cannot be judged without knowing what is on the topic.
func (g *judge) acquaint(work context.Context, j *job) error {
	for i := range j.results {
		r := &j.results[i]
		if r.kind != put || r.feed.index != nil || !r.feed.needsIndex() && !j.batch.Rows[r.row].Doubtful {
			continue
		}
		if err := g.load(work, r.feed); err != nil {
			return err
		}
	}
	return nil
}

// published returns the highest order of the feed's own records on the topic when it was loaded.
func (f *feed) published() (o connectors.Order) {
	const digits = 16 // of the sequence, behind those of the generation
	if len(f.latest) > digits {
		cut := len(f.latest) - digits
		o.Generation, _ = strconv.ParseUint(string(f.latest[:cut]), 16, 64)
		o.Sequence, _ = strconv.ParseUint(string(f.latest[cut:]), 16, 64)
	}
	return o
}

// parseHash reads the 16 hexadecimal digits of a header; a header that is missing or malformed is 0, which is taken as
// unknown.
func parseHash(b []byte) uint64 {
	var raw [8]byte
	if len(b) != 16 {
		return 0
	}
	if _, err := hex.Decode(raw[:], b); err != nil {
		return 0
	}
	var n uint64
	for _, c := range raw {
		n = n<<8 | uint64(c)
	}
	return n
}
