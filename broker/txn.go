package broker

// Txn collects the records of one transaction, ready to be sent: [Txn.Add] copies each body once, to where it will be
// compressed or sent from. Its memory is reused by Reset. It is for one goroutine at a time.
type Txn struct {
	byTopic map[string][]*section // by partition
	order   []*section            // sections with records, in order of their first
	spare   [][]byte              // memory of former chunks
	records int
	bytes   int
	lent    bool // an unanswered request may still be sending from the memory
}

// section collects the records of one partition in chunks of at most [chunkBytes], each the uncompressed records of one
// batch behind room for the batch's header.
type section struct {
	TopicPartition
	chunks []chunk
}

type chunk struct {
	data  []byte
	count int
}

const (
	// chunkBytes keeps a batch below 1048588 bytes, the default max.message.bytes of Apache Kafka, even uncompressed.
	chunkBytes = 1 << 20
	// firstChunkBytes keeps a partition's first batch small: the first batches of all partitions go in one request that
	// nothing overlaps with (see send.go).
	firstChunkBytes = 128 << 10
)

// maxSpareBytes bounds the memory that a Txn keeps for reuse.
const maxSpareBytes = 48 << 20

// Add appends a record to a partition. The body, as [Envelope.AppendBody] makes it, is copied.
func (t *Txn) Add(topic string, partition int32, body []byte) {
	s := t.section(topic, partition)
	last, limit := len(s.chunks)-1, chunkBytes
	if last == 0 {
		limit = firstChunkBytes
	}
	if last < 0 || len(s.chunks[last].data)+len(body)+maxVarintRecordPrefix > limit {
		if last < 0 {
			t.order = append(t.order, s)
		}
		s.chunks = append(s.chunks, chunk{data: t.memory()[:batchHeaderBytes]})
		last++
	}
	c := &s.chunks[last]
	before := len(c.data)
	c.data = appendRecord(c.data, c.count, body)
	c.count++
	t.records++
	t.bytes += len(c.data) - before
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

func (t *Txn) memory() []byte {
	if n := len(t.spare); n > 0 {
		m := t.spare[n-1]
		t.spare = t.spare[:n-1]
		return m
	}
	return make([]byte, 0, 4<<10)
}

// Records returns how many records were added.
func (t *Txn) Records() int { return t.records }

// Bytes returns how many bytes the records take before compression.
func (t *Txn) Bytes() int { return t.bytes }

// Reset empties the transaction for the next one.
func (t *Txn) Reset() {
	kept := 0
	for _, m := range t.spare {
		kept += cap(m)
	}
	for _, s := range t.order {
		for i := range s.chunks {
			m := s.chunks[i].data
			if size := cap(m); !t.lent && size <= 2*chunkBytes && kept+size <= maxSpareBytes {
				t.spare = append(t.spare, m[:0])
				kept += size
			}
			s.chunks[i] = chunk{}
		}
		s.chunks = s.chunks[:0]
	}
	t.order = t.order[:0]
	t.records, t.bytes, t.lent = 0, 0, false
}
