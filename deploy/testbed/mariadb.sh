# shellcheck shell=bash
# MariaDB with a row binlog. The user datong has all rights.

mariadb_ports() { echo 1; }
mariadb_address() { echo "mysql://datong:datong@127.0.0.1:$1/datong"; }

mariadb_ready() {
  MYSQL_PWD=datong mariadb --no-defaults --connect-timeout=3 -h 127.0.0.1 -P "$1" -u datong \
    -D datong -e 'SELECT 1'
}

mariadb_needs() {
  if ! command -v mariadbd >/dev/null || ! command -v mariadb >/dev/null; then echo mariadb-server; fi
}

mariadb_env() {
  if given mariadb; then
    export_line DATONG_TEST_MYSQL "$DATONG_TEST_MYSQL"
  else
    export_line DATONG_TEST_MYSQL "$(address mariadb)"
  fi
}

# mariadb_prepare makes the data directory whole or not at all, and the
# statements that run at every start.
mariadb_prepare() {
  local dir=$1 user
  user=$(server_user mysql)
  own_by "$user" "$dir" || return 1
  cat >"$dir/init.sql" <<'SQL'
SET sql_log_bin = 0;
CREATE DATABASE IF NOT EXISTS datong CHARACTER SET utf8mb4;
CREATE USER IF NOT EXISTS 'datong'@'%' IDENTIFIED BY 'datong';
GRANT ALL PRIVILEGES ON *.* TO 'datong'@'%' WITH GRANT OPTION;
SQL
  [[ ! -d $dir/data/mysql ]] || return 0
  rm -rf -- "$dir/data" "$dir/data.part"
  (cd -- "$dir" && as_user "$user" mariadb-install-db --no-defaults "--datadir=$dir/data.part" \
    --auth-root-authentication-method=normal --skip-test-db --skip-name-resolve) >"$dir/install.log" 2>&1 || {
    cat -- "$dir/install.log" >&2
    return 1
  }
  mv -- "$dir/data.part" "$dir/data"
}

# The socket's path is relative to the data directory: an absolute one may be
# longer than the kernel allows.
mariadb_run() {
  local dir=$1 port=$2
  spawn mariadb "$(server_user mysql)" mariadbd --no-defaults "--datadir=$dir/data" \
    --bind-address=127.0.0.1 "--port=$port" --socket=mariadb.sock --skip-name-resolve \
    "--init-file=$dir/init.sql" --max-connections=200 --innodb-buffer-pool-size=256M \
    --character-set-server=utf8mb4 --server-id=1 --log-bin=binlog --binlog-format=ROW \
    --binlog-row-image=FULL --binlog-row-metadata=FULL
}
