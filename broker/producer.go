package broker

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"time"

	"github.com/segmentio/kafka-go"

	"github.com/datong-dx/datong/connectors"
)

// ProducerOptions tune a producer; the zero value works.
type ProducerOptions struct {
	// TransactionTimeout is when the broker aborts a transaction whose producer has fallen silent; until then readers
	// of every partition it touched wait. 15 s when zero.
	TransactionTimeout time.Duration
	// Compression of batches: lz4 (when empty), zstd, gzip or none.
	Compression string
	// MaxMessageBytes is the topics' max.message.bytes: no batch may be larger. 1048588, Kafka's default, when zero.
	MaxMessageBytes int
}

// DefaultMaxMessageBytes is Kafka's max.message.bytes where nothing else is set.
const DefaultMaxMessageBytes = 1048588

const (
	defaultTransactionTimeout = 15 * time.Second
	// endGrace is how long past the transaction's timeout Commit still tries to learn what became of it.
	endGrace = 5 * time.Second
)

// Producer publishes transactions under one transactional id. Its methods are called by one goroutine.
//
// Its rules keep the promise of exactly once through lost answers, restarts and twins:
//
//   - Every partition is added to the transaction, and each one's answer checked, before the first byte is produced:
//     a broker may otherwise put a batch into the transaction before.
//   - A batch keeps its bytes and its sequence number however often it is sent, so a broker that has it already says so.
//     A request without an answer is repeated while the transaction lasts.
//   - No sequence number is ever used for two batches in one epoch, and no transaction begins in an epoch in which an
//     answer has been missing: what is still on its way (a batch, an EndTxn) would be taken for part of it. The epoch
//     is raised first, and the broker refuses whatever comes late.
//   - An EndTxn without an answer is repeated: a commit of what is committed is answered with success. When its fate
//     stays unknown, Commit returns [ErrTransactionLost], and only the committed position tells the truth.
//   - The epoch is raised with the current producer id and epoch, never by starting anew, so that a task that was fenced
//     stays fenced. A new start (−1/−1) happens in [Producer.Start] only, and when the broker has forgotten the id.
type Producer struct {
	client *Client
	id     string
	opts   ProducerOptions
	codec  codec
	badOpt error // a wrong option, told by Start

	state     producerState
	phase     phase
	producer  int64
	epoch     int16
	sequences map[TopicPartition]int32
	unclear   atomic.Bool // an answer was missing in this epoch
}

type producerState uint8

const (
	notStarted producerState = iota
	ready
	lost   // Recover comes next
	fenced // for ever
)

// phase is what is known about the current epoch's transaction; [Producer.Recover] needs it.
type phase uint8

const (
	idle    phase = iota // none is open: every EndTxn was answered
	unsure               // adding partitions or ending: it may be open or not; every batch sent was acknowledged
	sending              // it was open for certain and no EndTxn was sent; batches may be on their way
)

// NewProducer returns a producer that has done nothing yet; [Producer.Start] comes first.
func (c *Client) NewProducer(transactionalID string, opts ProducerOptions) *Producer {
	if opts.TransactionTimeout <= 0 {
		opts.TransactionTimeout = defaultTransactionTimeout
	}
	if opts.MaxMessageBytes <= 0 {
		opts.MaxMessageBytes = DefaultMaxMessageBytes
	}
	p := &Producer{client: c, id: transactionalID, opts: opts}
	p.codec, p.badOpt = parseCompression(opts.Compression)
	return p
}

// TransactionalID returns the id that the producer publishes under.
func (p *Producer) TransactionalID() string { return p.id }

// Start takes the transactional id over: a twin's open transaction is aborted and the twin fenced. It tries until ctx is
// done; then the error is [ErrUnreachable]. [ErrAuthorization] and a refused setting are final.
func (p *Producer) Start(ctx context.Context) error {
	if p.badOpt != nil {
		return p.badOpt
	}
	if p.state == fenced {
		return ErrFenced
	}
	err := p.initialise(ctx, -1, -1)
	if err == nil {
		// Once more, so that no living task ever holds the epoch next to its predecessor's: Recover takes that one for
		// what a broker's own abort has left.
		err = p.initialise(ctx, -1, -1)
	}
	if err != nil {
		return fmt.Errorf("start producer %s: %w", p.id, err)
	}
	return nil
}

// Recover aborts what is open and raises the epoch, so that nothing sent before can take effect any more. Afterwards the
// caller reads its position again. [ErrFenced] is final: a newer instance of the task lives. Any other error means that
// Recover may be called again.
func (p *Producer) Recover(ctx context.Context) error {
	switch p.state {
	case fenced:
		return ErrFenced
	case notStarted:
		return p.Start(ctx)
	}
	p.state = lost
	begun := p.phase != idle || p.unclear.Load() // the broker may have ended a transaction for its timeout
	if p.phase == unsure {
		if err := p.abort(ctx); err != nil {
			return fmt.Errorf("recover producer %s: %w", p.id, err)
		}
	}
	producer, epoch := p.producer, p.epoch
	err := p.initialise(ctx, producer, epoch)
	if errors.Is(err, ErrFenced) && begun {
		// A broker that aborts raises the epoch, and then does not know the former one any more: before 4.0 never, and
		// later not when it was restarted meanwhile. A twin is told apart all the same: Start takes two epochs, so that
		// the next one is not a twin's.
		err = p.initialise(ctx, producer, epoch+1)
	}
	var code kafka.Error
	if errors.As(err, &code) && code == kafka.InvalidProducerIDMapping {
		// Idle past transactional.id.expiration.ms: nobody holds the id, so there is nobody to fence wrongly.
		err = p.initialise(ctx, -1, -1)
	}
	if errors.Is(err, ErrFenced) {
		p.state = fenced
	}
	if err != nil {
		return fmt.Errorf("recover producer %s: %w", p.id, err)
	}
	return nil
}

// initialise asks for a producer id and epoch: of a new start (−1, −1), or one above those given.
func (p *Producer) initialise(ctx context.Context, producer int64, epoch int16) error {
	what := resource{"transactional id", p.id, "Write"}
	err := p.client.call(ctx, "initialise transactions", func(ctx context.Context) error {
		res, err := p.client.kafka.InitProducerID(ctx, &kafka.InitProducerIDRequest{
			TransactionalID: p.id, TransactionTimeoutMs: int(p.opts.TransactionTimeout.Milliseconds()),
			ProducerID: int(producer), ProducerEpoch: int(epoch),
		})
		if err == nil {
			err = res.Error
		}
		if err != nil {
			return classify(err)
		}
		p.producer, p.epoch = int64(res.Producer.ProducerID), int16(res.Producer.ProducerEpoch)
		return nil
	})
	if err != nil {
		return p.initError(err, what)
	}
	p.state, p.phase = ready, idle
	p.sequences = make(map[TopicPartition]int32)
	p.unclear.Store(false)
	return nil
}

func (p *Producer) initError(err error, what resource) error {
	var code kafka.Error
	if !errors.As(err, &code) {
		return err
	}
	switch code {
	case kafka.ProducerFenced, kafka.InvalidProducerEpoch:
		return fmt.Errorf("%w: %w", ErrFenced, err)
	case kafka.InvalidTransactionTimeout:
		return &connectors.Problem{
			Where: "transaction_timeout",
			What: connectors.Text{
				Zh: fmt.Sprintf("Kafka 不接受 %s 的事务超时", p.opts.TransactionTimeout),
				En: fmt.Sprintf("the broker refuses a transaction timeout of %s", p.opts.TransactionTimeout)},
			Try: connectors.Text{Zh: "改小，不超过 Kafka 的 transaction.max.timeout.ms（默认 15 分钟）", En: "at most the broker's transaction.max.timeout.ms (15 minutes unless set)"},
			Err: err,
		}
	}
	return p.client.explain(err, what)
}

// Commit publishes t in one transaction. When it returns nil every record is durable and visible to read-committed
// readers once they get there. Whatever may be tried again was tried again, until ctx was done or the transaction's
// timeout had passed. Otherwise the error is one of
//
//   - a [connectors.Problem] alone: a record is too large or a setting wrong; nothing was sent, the producer goes on;
//   - [ErrFenced]: final;
//   - [ErrTransactionLost], with its cause ([ErrUnreachable], [ErrAuthorization], a [connectors.Problem]): the caller
//     calls Recover and reads its position again. Nearly always the transaction was aborted, but when the answer to the
//     commit itself stayed away it may have been committed, so the position has to be asked.
//
// t may be Reset and used again after Commit has returned, whatever it returned.
func (p *Producer) Commit(ctx context.Context, t *Txn) error {
	switch p.state {
	case fenced:
		return ErrFenced
	case notStarted, lost:
		return fmt.Errorf("commit to %s: %w: not recovered", p.id, ErrTransactionLost)
	}
	if t.Records() == 0 {
		return nil
	}
	if p.unclear.Load() {
		if err := p.Recover(ctx); err != nil {
			return p.lose(err)
		}
	}
	streams, err := p.encode(t)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, p.opts.TransactionTimeout+endGrace)
	defer cancel()
	p.state = lost // until it is known not to be
	err = p.transact(ctx, streams, t.Records())
	if p.unclear.Load() {
		t.lent = true
	}
	if err != nil {
		return p.lose(err)
	}
	p.state = ready
	for _, s := range streams {
		p.sequences[s.TopicPartition] = s.next
		if !t.lent {
			s.release()
		}
	}
	return nil
}

func (p *Producer) lose(err error) error {
	if errors.Is(err, ErrFenced) {
		return fmt.Errorf("commit to %s: %w", p.id, err)
	}
	return fmt.Errorf("commit to %s: %w: %w", p.id, ErrTransactionLost, err)
}
