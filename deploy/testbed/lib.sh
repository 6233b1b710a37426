# shellcheck shell=bash
# What every server of the testbed has in common: where it lives, which ports it
# has, whether its process lives, how it is started and ended. Each server NAME
# has its own file with the functions
#
#   NAME_needs               the Debian packages that are missing, one a line
#   NAME_ports               how many ports it listens on
#   NAME_address PORT        what its environment variable holds
#   NAME_env                 the lines it adds to `env`
#   NAME_prepare DIR         makes its data directory, unless it is there
#   NAME_run DIR PORT...     starts it and returns at once
#   NAME_ready PORT          succeeds when it answers a request

say() { printf 'testbed: %s\n' "$*" >&2; }
die() {
  say "$*"
  exit 1
}

fn() { printf '%s' "${1//-/_}"; }
export_line() { printf "export %s='%s'\n" "$1" "${2//\'/\'\\\'\'}"; }

# parse reads the command line into COMMAND, SELECTED, DIR and GIVEN_COUNTS.
parse() {
  local names=() arg name
  COMMAND=${1:-} DIR='' GIVEN_COUNTS=yes
  shift || true
  while (($#)); do
    arg=$1
    shift
    case $arg in
      --dir | --only)
        (($#)) || die "$arg needs a value"
        # shellcheck disable=SC2206 # the names are words
        if [[ $arg == --dir ]]; then DIR=$1; else names+=(${1//,/ }); fi
        shift
        ;;
      -*) die "unknown option $arg; try: testbed help" ;;
      *) names+=("$arg") ;;
    esac
  done
  SELECTED=()
  for name in "${names[@]}"; do
    [[ " ${SERVICES[*]} " == *" $name "* ]] || die "unknown server $name; there are: ${SERVICES[*]}"
    SELECTED+=("$name")
  done
  case $COMMAND in
    start | stop | kill | restart) ((${#SELECTED[@]})) || die "$COMMAND needs a server's name: ${SERVICES[*]}" ;;
  esac
  if ((${#SELECTED[@]} == 0)); then SELECTED=("${SERVICES[@]}"); fi
  COMMON_DIR=${DATONG_TESTBED_DIR:-$(default_dir)}
  if [[ -n $DIR ]]; then
    GIVEN_COUNTS=no # a private instance is asked for: its servers are always its own
  else
    DIR=$COMMON_DIR
  fi
  [[ $DIR == /* ]] || DIR=$PWD/$DIR
  [[ $COMMON_DIR == /* ]] || COMMON_DIR=$PWD/$COMMON_DIR
}

# default_dir: PostgreSQL and MariaDB refuse to run as root, and the users that
# they run as cannot enter a repository below /root or a private temporary
# directory. The digest keeps two clones apart.
default_dir() {
  if ((EUID != 0)); then
    printf '%s/.testbed' "$REPO"
  else
    printf '/var/tmp/datong-testbed-0-%s' "$(printf '%s' "$REPO" | sha256sum | cut -c1-12)"
  fi
}

make_dir() {
  local dir
  for dir in "$DIR" "$COMMON_DIR"; do
    [[ -d $dir ]] || (umask 022 && mkdir -p -- "$dir") || exit 1
    [[ -O $dir ]] || die "$dir belongs to somebody else; set DATONG_TESTBED_DIR"
  done
}

lock_dir() {
  exec {LOCK}>"$DIR/lock" || exit 1
  flock -w 300 "$LOCK" || die "another testbed has held $DIR/lock for 5 minutes"
}

# home prints the directory of a server: data, log, pid and ports.
home() {
  case $1 in
    kafka*) printf '%s/%s-%s' "$DIR" "$1" "$KAFKA_VERSION" ;;
    *) printf '%s/%s' "$DIR" "$1" ;;
  esac
}

# given tells whether the environment names a server to use instead of ours. Our
# own address there (from an earlier `env`) does not count as given.
given() {
  local var value
  [[ $GIVEN_COUNTS == yes ]] || return 1
  var=$(given_variable "$1")
  value=${!var:-}
  [[ -n $value && $value != "$(address "$1")" ]]
}

given_variable() {
  case $1 in
    kafka) echo DATONG_TEST_KAFKA ;;
    kafka-secure) echo DATONG_TEST_KAFKA_SECURE ;;
    postgres) echo DATONG_TEST_POSTGRES ;;
    mariadb) echo DATONG_TEST_MYSQL ;;
  esac
}

# reachable checks that a given server accepts a connection.
reachable() {
  local var value host port
  var=$(given_variable "$1")
  value=${!var%%,*}
  value=${value#*://} value=${value##*@} value=${value%%[/?]*}
  host=${value%:*} port=${value##*:}
  host=${host#[} host=${host%]}
  # shellcheck disable=SC2016 # the inner shell expands its arguments
  timeout 5 bash -c 'exec 3<>"/dev/tcp/$0/$1"' "$host" "$port" 2>/dev/null && return 0
  say "$1: nothing answers at $value, which $var names; unset it to have one started"
  return 1
}

# address prints what the environment variable of a server of ours holds.
address() {
  local ports
  ports=$(ports_of "$(home "$1")")
  [[ -z $ports ]] || "$(fn "$1")_address" "${ports%% *}"
}

is_ready() {
  local ports
  ports=$(ports_of "$(home "$1")")
  [[ -n $ports ]] && "$(fn "$1")_ready" "${ports%% *}" >/dev/null 2>&1
}

ports_of() { cat -- "$1/ports" 2>/dev/null || true; }

# port_taken asks the kernel: a listening socket on that port, on any address.
port_taken() {
  local hex
  printf -v hex '%04X' "$1"
  grep -Eqs "^ *[0-9]+: [0-9A-F]+:$hex [0-9A-F]+:0000 0A " /proc/net/tcp /proc/net/tcp6
}

# reserve_ports gives a server that is not running the ports it had before, or
# new ones when it had none or somebody took one meanwhile. The range lies below
# the one that the kernel takes outgoing ports from.
reserve_ports() {
  local dir count port ports=()
  dir=$(home "$1")
  if alive "$1"; then return 0; fi
  mkdir -p -- "$dir"
  count=$("$(fn "$1")_ports")
  read -ra ports <<<"$(ports_of "$dir")"
  if ((${#ports[@]} == count)); then
    for port in "${ports[@]}"; do
      if port_taken "$port"; then
        say "$1: somebody took port $port; choosing others"
        ports=()
        break
      fi
    done
  else
    ports=()
  fi
  while ((${#ports[@]} < count)); do
    port=$((20000 + (RANDOM * 32768 + RANDOM) % 12000))
    if port_taken "$port" || grep -qsw "$port" "$DIR"/*/ports; then continue; fi
    if [[ " ${ports[*]} " != *" $port "* ]]; then ports+=("$port"); fi
  done
  echo "${ports[*]}" >"$dir/ports"
}

# started_at prints when a process started, in clock ticks since the machine's
# start: with the process id it tells our process from a later one of that id. A
# zombie counts as gone once its last thread is: until then its ports are open.
started_at() {
  local stat threads
  { stat=$(<"/proc/$1/stat"); } 2>/dev/null || return 1
  read -ra stat <<<"${stat##*) }"
  threads=("/proc/$1/task/"*)
  [[ ${stat[0]} == Z ]] && ((${#threads[@]} < 2)) && return 1
  printf '%s' "${stat[19]}"
}

alive() { alive_home "$(home "$1")"; }

alive_home() {
  local pid started
  read -r pid started 2>/dev/null <"$1/pid" || return 1
  [[ -n $pid && $(started_at "$pid") == "$started" ]]
}

# spawn NAME USER COMMAND... starts a server as a process of its own session,
# with none of our open files (the lock above all), and keeps its process id.
spawn() {
  local name=$1 user=$2 dir pid as=()
  shift 2
  dir=$(home "$name")
  if ((EUID == 0)) && [[ $user != root ]]; then
    as=(setpriv "--reuid=$user" "--regid=$user" --init-groups --)
  fi
  if [[ -f $dir/log ]]; then mv -f -- "$dir/log" "$dir/log.1"; fi
  (
    for fd in "/proc/$BASHPID/fd/"*; do
      fd=${fd##*/}
      if ((fd > 2)); then eval "exec $fd>&-"; fi
    done
    ulimit -n "$(ulimit -Hn)" 2>/dev/null
    cd -- "$dir" && exec setsid nohup "${as[@]}" "$@"
  ) </dev/null >"$dir/log" 2>&1 &
  pid=$!
  echo "$pid $(started_at "$pid")" >"$dir/pid"
}

# bring_up makes one server answer: waits for one that is still starting,
# restarts one that is stuck, makes its data directory, starts it, tries again
# on other ports when it lost the race for one.
bring_up() {
  local name=$1 dir began=$SECONDS
  dir=$(home "$name")
  if alive "$name"; then
    await "$name" 30 && return 0
    say "$name: it lives but does not answer; starting it anew"
    kill_home "$dir"
  fi
  "$(fn "$name")_prepare" "$dir" || { say "$name: preparing $dir went wrong"; return 1; }
  for _ in 1 2 3; do
    reserve_ports "$name"
    # shellcheck disable=SC2046 # the ports are words
    "$(fn "$name")_run" "$dir" $(ports_of "$dir")
    if await "$name" 90; then
      say "$name: up after $((SECONDS - began)) s at $(address "$name")"
      return 0
    fi
    kill_home "$dir"
    sleep 1
  done
  say "$name: does not start; the end of $dir/log (testbed clean starts from nothing):"
  tail -n 15 -- "$dir/log" >&2
  return 1
}

# await waits until a server answers; fails when its process ends or time is up.
await() {
  local end=$((SECONDS + $2))
  until is_ready "$1"; do
    alive "$1" || return 1
    ((SECONDS < end)) || return 1
    sleep 0.1
  done
}

# stop_home ends the server of a directory in an orderly way, or after 30 s by force.
stop_home() {
  local pid signal=TERM end=$((SECONDS + 30))
  if alive_home "$1"; then
    read -r pid _ <"$1/pid"
    if [[ $1 == */postgres ]]; then signal=INT; fi # "fast": does not wait for clients to leave
    kill -s "$signal" "$pid"
    kill -s CONT "$pid"
    while alive_home "$1"; do
      if ((SECONDS >= end)); then
        kill_home "$1"
        break
      fi
      sleep 0.1
    done
  fi
  rm -f -- "$1/pid"
}

# kill_home crashes a server: it and its children (PostgreSQL has one process per
# connection) at once, so that nothing of it is left when this returns.
kill_home() {
  local pid children
  if alive_home "$1"; then
    read -r pid _ <"$1/pid"
    children=$(cat "/proc/$pid/task/"*/children 2>/dev/null)
    # shellcheck disable=SC2086 # the children are words
    kill -s KILL "$pid" $children 2>/dev/null
    for pid in $pid $children; do
      while started_at "$pid" >/dev/null; do sleep 0.02; done
    done
  fi
  rm -f -- "$1/pid"
}

# own_by hands a directory to the user a server runs as, and checks that this
# user can get to it.
own_by() {
  ((EUID == 0)) || return 0
  chown -R "$1:" "$2"
  setpriv "--reuid=$1" "--regid=$1" --init-groups -- test -x "$2/." && return 0
  say "user $1 cannot enter $2; put DATONG_TESTBED_DIR or --dir where every user can go, such as /var/tmp"
  return 1
}

# as_user USER COMMAND... runs a command as that user, when we are root.
as_user() {
  local user=$1
  shift
  if ((EUID == 0)); then
    setpriv "--reuid=$user" "--regid=$user" --init-groups -- "$@"
  else
    "$@"
  fi
}

# server_user prints the user to run a database server as.
server_user() { if ((EUID == 0)); then echo "$1"; else id -un; fi; }
