package exchange

import (
	"context"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"github.com/datong-dx/datong/internal/config"
	"github.com/datong-dx/datong/internal/delivery"
	"github.com/datong-dx/datong/internal/pipeline"
)

// latency measures how long changes take from the source to the platform.
type latency struct{ seconds *prometheus.HistogramVec }

func newLatency(cfg *config.Exchange) *latency {
	l := &latency{prometheus.NewHistogramVec(prometheus.HistogramOpts{
		Name:    "datong_change_latency_seconds",
		Help:    "Time from a change in the source to its visibility on the platform.",
		Buckets: []float64{0.05, 0.1, 0.2, 0.3, 0.5, 1, 2, 5, 10, 30, 60, 300, 1800, 3600, 21600, 86400},
	}, []string{"delivery"})}
	for _, d := range cfg.Deliveries {
		l.seconds.WithLabelValues(d.Name)
	}
	return l
}

func (l *latency) observe(deliveryName string, took time.Duration, n int) {
	h := l.seconds.WithLabelValues(deliveryName)
	for range n {
		h.Observe(took.Seconds())
	}
}

// Metrics returns what Prometheus may scrape: one series per pipeline, delivery and outcome, whatever the data hold.
func (x *Exchange) Metrics() prometheus.Gatherer {
	r := prometheus.NewRegistry()
	r.MustRegister(x.latency.seconds, collector{x})
	return r
}

// collector turns the status into metrics when it is scraped.
type collector struct{ x *Exchange }

func describe(name, help string, labels ...string) *prometheus.Desc {
	return prometheus.NewDesc("datong_"+name, help, labels, nil)
}

var (
	readDesc      = describe("rows_read_total", "Rows read from the source.", "pipeline")
	rowsDesc      = describe("rows_total", "Rows by what they ended as, those in quarantine left out.", "pipeline", "outcome")
	refusedRows   = describe("rows_quarantined", "Rows that ended in quarantine and have not been let in since.", "pipeline")
	recordsDesc   = describe("records_published_total", "Records published on standard topics.", "pipeline")
	waitingDesc   = describe("quarantine_waiting", "Refused rows that wait for a person.", "pipeline")
	lagDesc       = describe("source_lag_seconds", "Age of the oldest change that is read and not yet published.", "pipeline")
	stateDesc     = describe("pipeline_state", "1 for the state that the pipeline is in, 0 for the others.", "pipeline", "state")
	breakerDesc   = describe("breaker_open", "1 when the circuit breaker is open, 0.5 when half open.", "task")
	deliveredDesc = describe("records_delivered_total", "Records applied to the platform.", "delivery", "pipeline")
	refusedDesc   = describe("delivery_waiting", "Records that the platform refused and that wait.", "delivery")
	behindDesc    = describe("delivery_lag_records", "Offsets on the topics that are not on the platform yet: records, and the markers of transactions.", "delivery")
	lateDesc      = describe("delivery_lag_seconds", "Age of the oldest change that is published and not on the platform yet.", "delivery")
	outletDesc    = describe("delivery_state", "1 for the state that the delivery is in, 0 for the others.", "delivery", "state")
)

func (c collector) Describe(ch chan<- *prometheus.Desc) {
	for _, d := range []*prometheus.Desc{readDesc, rowsDesc, refusedRows, recordsDesc, waitingDesc, lagDesc, stateDesc, breakerDesc, deliveredDesc, refusedDesc, behindDesc, lateDesc, outletDesc} {
		ch <- d
	}
}

func (c collector) Collect(ch chan<- prometheus.Metric) {
	s, err := c.x.Status(context.Background())
	if err != nil {
		ch <- prometheus.NewInvalidMetric(rowsDesc, err)
		return
	}
	for i := range s.Pipelines {
		collectPipeline(ch, &s.Pipelines[i].Status)
	}
	for i := range s.Deliveries {
		collectDelivery(ch, &s.Deliveries[i])
	}
}

func gauge(ch chan<- prometheus.Metric, d *prometheus.Desc, value float64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.GaugeValue, value, labels...)
}

func counter(ch chan<- prometheus.Metric, d *prometheus.Desc, value int64, labels ...string) {
	ch <- prometheus.MustNewConstMetric(d, prometheus.CounterValue, float64(value), labels...)
}

var (
	pipelineStates = []pipeline.State{
		pipeline.Starting, pipeline.Running, pipeline.Idle, pipeline.Retrying, pipeline.Waiting,
		pipeline.Outside, pipeline.Halted, pipeline.Fenced, pipeline.Done, pipeline.Stopped,
	}
	deliveryStates = []delivery.State{
		delivery.Starting, delivery.Running, delivery.Idle, delivery.Retrying, delivery.Waiting, delivery.Halted, delivery.Stopped,
	}
)

// states gives every state a series, so that one that ends does not go on as the last that was scraped.
func states[S ~string](ch chan<- prometheus.Metric, d *prometheus.Desc, task string, all []S, now S) {
	for _, state := range all {
		value := 0.0
		if state == now {
			value = 1
		}
		gauge(ch, d, value, task, string(state))
	}
}

func collectPipeline(ch chan<- prometheus.Metric, p *pipeline.Status) {
	id := p.Department + "/" + p.Name
	counter(ch, readDesc, p.Read, id)
	counter(ch, rowsDesc, p.Published, id, "published")
	counter(ch, rowsDesc, p.Unchanged, id, "unchanged")
	counter(ch, rowsDesc, p.Filtered, id, "filtered")
	gauge(ch, refusedRows, float64(p.Quarantined), id) // falls when rows are released
	counter(ch, rowsDesc, p.Superseded, id, "superseded")
	counter(ch, recordsDesc, p.Records, id)
	gauge(ch, waitingDesc, float64(p.Waiting), id)
	gauge(ch, lagDesc, p.LagSeconds, id)
	states(ch, stateDesc, id, pipelineStates, p.State)
	gauge(ch, breakerDesc, openness(p.Breaker), id)
}

func collectDelivery(ch chan<- prometheus.Metric, d *delivery.Status) {
	for id, n := range d.Pipelines {
		counter(ch, deliveredDesc, n.Delivered, d.Name, id)
	}
	gauge(ch, refusedDesc, float64(d.Waiting), d.Name)
	gauge(ch, behindDesc, float64(d.LagRecords), d.Name)
	gauge(ch, lateDesc, d.LagSeconds, d.Name)
	states(ch, outletDesc, d.Name, deliveryStates, d.State)
	gauge(ch, breakerDesc, openness(d.Breaker), "delivery "+d.Name)
}

func openness(state string) float64 {
	switch state {
	case "open":
		return 1
	case "half-open":
		return 0.5
	}
	return 0
}
