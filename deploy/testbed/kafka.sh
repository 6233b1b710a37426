# shellcheck shell=bash
# Apache Kafka in KRaft mode: one node that is broker and controller, plain text.

kafka_ports() { echo 2; } # clients, controller
kafka_address() { echo "127.0.0.1:$1"; }
kafka_ready() { kafka_probe "$1"; }

kafka_needs() {
  command -v java >/dev/null || echo default-jre-headless
  command -v mvn >/dev/null || [[ -d $(kafka_libs) ]] || echo maven
}

kafka_env() {
  if given kafka; then
    export_line DATONG_TEST_KAFKA "$DATONG_TEST_KAFKA"
  else
    export_line DATONG_TEST_KAFKA "$(address kafka)"
  fi
}

kafka_prepare() {
  fetch_kafka || return 1
  kafka_format "$1" || return 1
}

kafka_run() {
  local dir=$1 client=$2 controller=$3
  {
    cat <<PROPERTIES
listeners=PLAINTEXT://127.0.0.1:$client,CONTROLLER://127.0.0.1:$controller
advertised.listeners=PLAINTEXT://127.0.0.1:$client
listener.security.protocol.map=CONTROLLER:PLAINTEXT,PLAINTEXT:PLAINTEXT
controller.quorum.voters=1@127.0.0.1:$controller
PROPERTIES
    kafka_common_properties "$dir/data"
  } >"$dir/server.properties"
  kafka_java kafka "$dir" -Xmx1g
}

# kafka_common_properties: a single node has one replica of everything. The times
# are short because tests wait for them: a transaction past its timeout is aborted
# at the next sweep, and a broker that was killed is let in again when its session
# has timed out. Tests that kill theirs set KAFKA_SESSION_MS; the one that all
# tests share must not be shut out because the machine was busy for some seconds.
kafka_common_properties() {
  cat <<PROPERTIES
process.roles=broker,controller
node.id=1
controller.listener.names=CONTROLLER
log.dirs=$1
num.partitions=1
auto.create.topics.enable=false
broker.session.timeout.ms=${KAFKA_SESSION_MS:-15000}
broker.heartbeat.interval.ms=500
default.replication.factor=1
offsets.topic.replication.factor=1
offsets.topic.num.partitions=10
transaction.state.log.replication.factor=1
transaction.state.log.min.isr=1
transaction.state.log.num.partitions=10
transaction.abort.timed.out.transaction.cleanup.interval.ms=1000
group.initial.rebalance.delay.ms=0
group.min.session.timeout.ms=1000
log.cleaner.backoff.ms=1000
PROPERTIES
  if [[ $KAFKA_VERSION == 4.* ]]; then
    cat <<'PROPERTIES'
share.coordinator.state.topic.replication.factor=1
share.coordinator.state.topic.min.isr=1
PROPERTIES
  fi
}

kafka_java() {
  local name=$1 dir=$2
  shift 2
  spawn "$name" "$(id -un)" java "$@" -Dorg.slf4j.simpleLogger.showDateTime=true \
    '-Dorg.slf4j.simpleLogger.dateTimeFormat=HH:mm:ss.SSS' \
    -cp "$(kafka_libs)/*" kafka.Kafka "$dir/server.properties"
}

# kafka_format DIR [OPTION...] makes an empty cluster in DIR/data, whole or not at
# all: a run that was cut short leaves only DIR/data.part.
kafka_format() {
  local dir=$1
  shift
  [[ ! -f $dir/data/meta.properties ]] || return 0
  rm -rf -- "$dir/data" "$dir/data.part"
  {
    echo 'listeners=PLAINTEXT://127.0.0.1:1,CONTROLLER://127.0.0.1:2'
    echo 'controller.quorum.voters=1@127.0.0.1:2'
    kafka_common_properties "$dir/data.part"
  } >"$dir/format.properties"
  java -Xmx256m -Dorg.slf4j.simpleLogger.defaultLogLevel=warn -cp "$(kafka_libs)/*" \
    kafka.tools.StorageTool format -t "$(cluster_id)" -c "$dir/format.properties" "$@" \
    >"$dir/format.log" 2>&1 || {
    cat -- "$dir/format.log" >&2
    return 1
  }
  mv -- "$dir/data.part" "$dir/data"
}

# cluster_id prints a Kafka cluster id: 16 random bytes in URL-safe base64. The
# first character is fixed because an id with a leading hyphen reads as an option.
cluster_id() { printf 'd%s' "$(head -c 32 /dev/urandom | base64 | tr -d '+/=\n' | cut -c1-20)A"; }
