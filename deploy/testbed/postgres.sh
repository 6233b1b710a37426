# shellcheck shell=bash
# PostgreSQL with logical WAL. The user datong is the superuser: it may create
# databases and roles, and replicate.

postgres_ports() { echo 1; }
postgres_address() { echo "postgres://datong:datong@127.0.0.1:$1/datong?sslmode=disable"; }
postgres_ready() { postgres_sql "$1" datong 'SELECT 1'; }
postgres_sql() { PGPASSWORD=datong PGCONNECT_TIMEOUT=3 psql -XqAt -h 127.0.0.1 -p "$1" -U datong -d "$2" -c "$3"; }

postgres_needs() {
  if [[ -z $(postgres_bin) ]] || ! command -v psql >/dev/null; then echo postgresql; fi
}

postgres_env() {
  if given postgres; then
    export_line DATONG_TEST_POSTGRES "$DATONG_TEST_POSTGRES"
  else
    export_line DATONG_TEST_POSTGRES "$(address postgres)"
  fi
}

# postgres_bin prints the directory of the newest server installed: Debian keeps
# it off the path.
postgres_bin() {
  local initdb
  initdb=$(printf '%s\n' /usr/lib/postgresql/*/bin/initdb | sort -V | tail -n 1)
  [[ -x $initdb ]] || initdb=$(command -v initdb) || return 0
  dirname -- "$(readlink -f -- "$initdb")"
}

# postgres_prepare makes the cluster and its database whole or not at all.
postgres_prepare() {
  local dir=$1 bin user
  bin=$(postgres_bin)
  user=$(server_user postgres)
  own_by "$user" "$dir" || return 1
  [[ ! -f $dir/data/PG_VERSION ]] || return 0
  rm -rf -- "$dir/data" "$dir/data.part"
  echo datong >"$dir/password"
  {
    (cd -- "$dir" && as_user "$user" "$bin/initdb" -D "$dir/data.part" --username=datong \
      "--pwfile=$dir/password" --auth=scram-sha-256 --encoding=UTF8 --locale=C.UTF-8 --no-sync) &&
      (cd -- "$dir" && echo 'CREATE DATABASE datong' |
        as_user "$user" "$bin/postgres" --single -D "$dir/data.part" postgres)
  } >"$dir/initdb.log" 2>&1 || {
    cat -- "$dir/initdb.log" >&2
    return 1
  }
  mv -- "$dir/data.part" "$dir/data"
}

postgres_run() {
  local dir=$1 port=$2
  spawn postgres "$(server_user postgres)" "$(postgres_bin)/postgres" -D "$dir/data" \
    -c "port=$port" -c listen_addresses=127.0.0.1 -c unix_socket_directories= \
    -c max_connections=200 -c shared_buffers=256MB -c max_wal_size=2GB \
    -c wal_level=logical -c max_replication_slots=50 -c max_wal_senders=50
}
