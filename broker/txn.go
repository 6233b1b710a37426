package broker

import "sync"

// Txn collects the records of one transaction, ready to be sent: [Txn.Add] copies each body to where it will be
// compressed or sent from. The zero Txn keeps its records as they are until Commit compresses them; one of
// [Producer.NewTxn] takes less memory. It is for one goroutine at a time.
type Txn struct {
	byTopic map[string][]*section // by partition
	order   []*section            // sections with records, in order of their first
	compact bool                  // compressed as LZ4 while it is filled
	records int
	bytes   int
	lent    bool // an unanswered request may still be sending from the memory
}

// NewTxn returns an empty transaction for this producer. Its records are compressed while they are added, where the
// compression allows that (lz4), so that it takes hardly more memory than it takes on the wire.
func (p *Producer) NewTxn() *Txn { return &Txn{compact: p.codec == codecLZ4} }

// section collects the records of one partition in chunks, each the records of one batch.
type section struct {
	TopicPartition
	chunks []chunk
	open   []byte // of a compact transaction: the last records of the last chunk, not compressed yet
}

// chunk holds records behind room for their batch's header: as they are, or as an LZ4 frame once one was begun.
type chunk struct {
	data   []byte
	count  int
	size   int // of the records before compression
	framed bool
	closed bool // nothing can be added
}

const (
	// chunkBytes keeps a batch below 1048588 bytes, the default max.message.bytes of Apache Kafka, even uncompressed.
	chunkBytes = 1<<20 - 1<<10
	// firstChunkBytes keeps a partition's first batch small: the first batches of all partitions go in one request that
	// nothing overlaps with (see send.go).
	firstChunkBytes = 128 << 10
	// openBytes is how much is compressed at once: that of all partitions together should fit into a processor's cache.
	// Twice as much makes records a twentieth smaller, and a pipeline with eight partitions a tenth slower.
	openBytes = 32 << 10
)

// buffers is the memory of chunks. All transactions share it, so that tasks that have nothing to do hold none.
var buffers = sync.Pool{New: func() any { return make([]byte, 0, 4<<10) }}

// maxBufferBytes bounds a buffer that is kept.
const maxBufferBytes = 2 << 20

func buffer() []byte { return buffers.Get().([]byte)[:0] }

func recycle(b []byte) {
	if c := cap(b); c > 0 && c <= maxBufferBytes {
		buffers.Put(b[:0]) //nolint:staticcheck // a slice header beside what it saves
	}
}

// Add appends a record to a partition. The body, as [Envelope.AppendBody] makes it, is copied.
func (t *Txn) Add(topic string, partition int32, body []byte) {
	s := t.section(topic, partition)
	c := t.chunk(s, len(body)+maxVarintRecordPrefix)
	to := &c.data
	if t.compact {
		if len(s.open)+len(body)+maxVarintRecordPrefix > openBytes {
			c.compress(s.open)
			s.open = s.open[:0]
		}
		to = &s.open
	}
	before := len(*to)
	*to = appendRecord(*to, c.count, body)
	size := len(*to) - before
	c.count++
	c.size += size
	t.records++
	t.bytes += size
}

// chunk returns the partition's last chunk if it has room, else a new one.
func (t *Txn) chunk(s *section, room int) *chunk {
	last, limit := len(s.chunks)-1, chunkBytes
	switch last {
	case -1:
		t.order = append(t.order, s)
		if t.compact {
			s.open = buffer()
		}
	case 0:
		limit = firstChunkBytes
	}
	if last >= 0 && !s.chunks[last].closed && s.chunks[last].size+room <= limit {
		return &s.chunks[last]
	}
	s.close()
	s.chunks = append(s.chunks, chunk{data: append(buffer(), make([]byte, batchHeaderBytes)...)})
	return &s.chunks[last+1]
}

// compress appends records to the chunk's frame.
func (c *chunk) compress(records []byte) {
	if len(records) == 0 {
		return
	}
	if !c.framed {
		c.data, c.framed = openLZ4(c.data), true
	}
	c.data = appendLZ4(c.data, records)
}

// close ends the last chunk: what is open goes into its frame, or beside its header when that is too little to compress.
func (s *section) close() {
	if len(s.chunks) == 0 || s.chunks[len(s.chunks)-1].closed {
		return
	}
	c := &s.chunks[len(s.chunks)-1]
	c.closed = true
	if !c.framed && len(s.open) <= smallBatchBytes {
		c.data = append(c.data, s.open...)
	} else {
		c.compress(s.open)
		c.data = closeLZ4(c.data)
	}
	s.open = s.open[:0]
}

func (t *Txn) section(topic string, partition int32) *section {
	sections := t.byTopic[topic]
	if int(partition) < len(sections) && sections[partition] != nil {
		return sections[partition]
	}
	if t.byTopic == nil {
		t.byTopic = make(map[string][]*section)
	}
	for int(partition) >= len(sections) {
		sections = append(sections, nil)
	}
	s := &section{TopicPartition: TopicPartition{topic, partition}}
	sections[partition] = s
	t.byTopic[topic] = sections
	return s
}

// Records returns how many records were added.
func (t *Txn) Records() int { return t.records }

// Bytes returns how many bytes the records take before compression.
func (t *Txn) Bytes() int { return t.bytes }

// Reset empties the transaction for the next one.
func (t *Txn) Reset() {
	for _, s := range t.order {
		for i := range s.chunks {
			if !t.lent {
				recycle(s.chunks[i].data)
			}
			s.chunks[i] = chunk{}
		}
		s.chunks = s.chunks[:0]
		recycle(s.open)
		s.open = nil
	}
	t.order = t.order[:0]
	t.records, t.bytes, t.lent = 0, 0, false
}
