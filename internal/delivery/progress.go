package delivery

import (
	"encoding/json"
	"fmt"
	"maps"
	"time"

	"github.com/datong-dx/datong/connectors"
)

// Counts tell what became of the records of the standard topics. Each record is counted once, a tombstone too, however
// often the delivery was killed: Delivered and Refused together are the records that lie before the sink's offsets.
type Counts struct {
	Delivered int64 `json:"delivered"` // applied, or overtaken by a newer record of their key
	Refused   int64 `json:"refused"`   // in the site's quarantine: waiting, or discarded by a person
	Waiting   int64 `json:"waiting"`   // those of them that wait
}

func (c *Counts) add(more Counts) {
	c.Delivered += more.Delivered
	c.Refused += more.Refused
	c.Waiting += more.Waiting
}

// progress is what the sink keeps beside the offset of a partition, and moves with it in the transaction of the rows: so
// every record is in it exactly once. What was refused is not in it. That is told by the quarantine, which changes in
// transactions of its own; a record counts as delivered when it lies before the offset and is not in the quarantine.
type progress struct {
	Version int              `json:"v"`
	Records map[string]int64 `json:"records"` // before the offset, by department/pipeline
	Changed time.Time        `json:"changed"` // in the source: the last record
	Written time.Time        `json:"written"`
}

const progressVersion = 1

// readProgress reads what a sink has kept; where it has kept nothing, nothing is counted.
func readProgress(p *part, state []byte) (progress, error) {
	if len(state) == 0 {
		return progress{}, nil
	}
	var pr progress
	if err := json.Unmarshal(state, &pr); err != nil || pr.Version != progressVersion {
		return progress{}, &connectors.Problem{
			Where: fmt.Sprintf("%s/%d", p.Topic, p.Partition),
			What: connectors.Text{
				En: "what the sink has kept with the offset cannot be read: it was changed by hand, or written by a newer version",
				Zh: "目标库随位点保存的状态无法读取：被人改动过，或由更新的版本写入",
			},
			Try: connectors.Text{
				En: "start the newer version again, or " + rebuild.En,
				Zh: "改用更新的版本启动，或" + rebuild.Zh,
			},
			Err: connectors.ErrStop,
		}
	}
	return pr, nil
}

// encode returns what the sink is to keep.
func (pr *progress) encode() ([]byte, error) {
	pr.Version = progressVersion
	state, err := json.Marshal(pr)
	if err != nil {
		return nil, fmt.Errorf("encode the progress of a partition: %w", err)
	}
	return state, nil
}

// after returns the progress once the batch's records of the partition are in the sink.
func (pr progress) after(b *batch, p *part, now time.Time) progress {
	counts := b.counts[p.index]
	if len(counts) == 0 {
		return pr
	}
	pr.Records = maps.Clone(pr.Records)
	if pr.Records == nil {
		pr.Records = map[string]int64{}
	}
	for source, n := range counts {
		pr.Records[source.pipeline] += n
	}
	pr.Changed, pr.Written = time.UnixMicro(b.changed[p.index]).UTC(), now.UTC().Truncate(time.Millisecond)
	return pr
}

// tally adds up what became of the records, by department/pipeline.
func tally(parts []*part, s *shelf) map[string]Counts {
	pipelines := map[string]Counts{}
	for _, p := range parts {
		for name, n := range p.progress.Records {
			c := pipelines[name]
			c.Delivered += n
			pipelines[name] = c
		}
	}
	for i, refused := range s.counts {
		c := pipelines[s.pipelines[i]]
		c.add(Counts{Delivered: -refused.Refused, Refused: refused.Refused, Waiting: refused.Waiting})
		pipelines[s.pipelines[i]] = c
	}
	return pipelines
}
