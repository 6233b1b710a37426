// Package broker carries records through Kafka: the envelope of a standard record, topics and their settings, exactly-once
// publishing in transactions, and read-committed reading. github.com/segmentio/kafka-go does the talking (connections,
// TLS, SASL, metadata, consumer groups); record batches, fetches and the life of a transaction are our own, because
// kafka-go's Writer has no transactions and its Reader shows aborted records.
//
//	Envelope ─ body ─▶ Txn ─▶ Producer.Commit ─▶ Kafka ─▶ Reader.Poll ─▶ Record
//	                     (AddPartitions, produce, EndTxn)    (committed only, in order per partition)
//
// Read envelope.go, then producer.go, then reader.go.
//
// # What brokers were seen to do
//
// Found on Apache Kafka 4.1 and 3.9 and on kafka-go 0.4.51; the code relies on it, and what is not in their manuals is
// easily broken by a well-meant change.
//
//   - After a commit the coordinator answers CONCURRENT_TRANSACTIONS for 5 to 15 ms, until the markers are written: most
//     of what a small transaction costs. On a broker just started COORDINATOR_LOAD_IN_PROGRESS, COORDINATOR_NOT_AVAILABLE
//     and NOT_COORDINATOR come first. kfake answers none of these.
//   - A produce without its partition in the transaction is not always refused: it may join the transaction before, which
//     is why every answer to AddPartitionsToTxn is looked at. With one topic that may not be written, the others of the
//     same request get code 55, which kafka-go prints as "Broker Authorization Failed" and which means not attempted.
//   - Kafka 4 verifies a partition's first batch of a transaction with the coordinator. Several such batches at once, or
//     a coordinator that has just moved, are answered NOT_ENOUGH_REPLICAS though no replica is missing.
//   - When a transaction times out its abort comes up to transaction.abort.timed.out.transaction.cleanup.interval.ms
//     late (10 s unless set). Until then the last stable offset of every partition it touched stands still, for all
//     readers: this is what a hung task costs the others.
//   - Brokers before 4.0 raise the epoch when they abort, for a timeout or for InitProducerID; see [Producer.Recover].
//   - kafka-go's RawRecordSet.ReadFrom writes a batch anew, without its producer id, and says nothing: what it sends is
//     in no transaction. Of what it reads it hands on the list of aborted transactions and drops nothing.
//   - A control batch takes an offset, so a reader that does not step over it never reaches the last stable offset, and
//     end offsets count markers as well as records.
//   - max.message.bytes bounds the batch as it is sent, compressed. A batch whose compression is broken is answered with
//     UNKNOWN_SERVER_ERROR, which must not be repeated for ever.
//   - Compaction leaves the active segment alone: without segment.ms a quiet topic is never compacted. Kafka 4 refuses
//     segments below 1 MiB. kfake takes any setting, so a wrong one shows on a real broker only.
//   - A combined node that was killed waits for its own session to end (9 s unless set) before it listens again; an open
//     transaction survives that if its timeout is longer. Every connection in use gives one error, and the same client
//     goes on.
//   - kafka-go refreshes its metadata by the clock and never because of an error: a new topic is "topic not found" for as
//     long as metadataTTL. A topic that may not be seen looks the same.
//   - A member of a group learns of a rebalance at its next heartbeat. Offsets may still be committed between the end of a
//     generation and the return of the function that ran in it.
package broker
