package delivery

import (
	"net/url"
	"strings"

	"github.com/datong-dx/datong/mapping"
)

// source is where records come from, as their ce_source says.
type source struct {
	name     string
	text     []byte // the same, as the rows have it
	pipeline string // department/pipeline
}

// reading is what turns records into rows, with everything that is the same from record to record looked up once. It
// is for one goroutine.
type reading struct {
	decoders map[*entityTable]*mapping.Decoder
	schemas  map[string]error
	sources  map[string]*source
}

func newReading() *reading {
	return &reading{decoders: map[*entityTable]*mapping.Decoder{}, schemas: map[string]error{}, sources: map[string]*source{}}
}

func (rd *reading) decoder(t *entityTable) *mapping.Decoder {
	dec := rd.decoders[t]
	if dec == nil {
		dec = mapping.NewDecoder(t.entity)
		rd.decoders[t] = dec
	}
	return dec
}

func (rd *reading) source(name []byte) *source {
	s := rd.sources[string(name)]
	if s == nil {
		s = &source{name: string(name)}
		s.text, s.pipeline = []byte(s.name), pipelineOf(s.name)
		rd.sources[s.name] = s
	}
	return s
}

// schema returns what is wrong with a ce_dataschema in a topic of the table.
func (rd *reading) schema(t *entityTable, name []byte) error {
	err, ok := rd.schemas[string(name)]
	if !ok || err != nil { // what is wrong in one topic may be right in another
		err = t.checkSchema(string(name))
		rd.schemas[string(name)] = err
	}
	return err
}

// sourceParts returns department, pipeline and set of a ce_source, /department/pipeline/set; they are empty in one that
// is not ours.
func sourceParts(source string) (department, pipeline, set string) {
	parts := strings.Split(strings.TrimPrefix(source, "/"), "/")
	if len(parts) != 3 {
		return "", "", ""
	}
	for i, part := range parts {
		if plain, err := url.PathUnescape(part); err == nil {
			parts[i] = plain
		}
	}
	return parts[0], parts[1], parts[2]
}

// pipelineOf returns department/pipeline of a ce_source.
func pipelineOf(source string) string {
	department, pipeline, _ := sourceParts(source)
	if pipeline == "" {
		return source
	}
	return department + "/" + pipeline
}
