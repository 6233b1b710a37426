# shellcheck shell=bash
# What the servers need from outside: Debian packages and Kafka's jars.

# install_missing installs the packages that the servers named lack.
install_missing() {
  local name missing=()
  mapfile -t missing < <(for name in "$@"; do "$(fn "$name")_needs"; done | sort -u)
  ((${#missing[@]})) || return 0
  install_packages "${missing[@]}"
}

# install_packages installs packages; where it may not, it tells which they are.
install_packages() {
  if ((EUID != 0)) || ! command -v apt-get >/dev/null; then
    say "not installed here; the Debian packages are: $*"
    return 1
  fi
  say "installing $*"
  apt_install "$@" || { apt_update && apt_install "$@"; }
}

# RUNLEVEL=1 keeps the packages from starting servers of their own.
apt_install() {
  RUNLEVEL=1 DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends \
    -o DPkg::Lock::Timeout=600 "$@" </dev/null >&2
}

# The lock on the package lists, unlike the one above, cannot be waited for.
apt_update() {
  for _ in 1 2 3 4 5 6; do
    apt-get update -qq </dev/null >&2 && return 0
    sleep 10
  done
  say 'apt-get update went wrong six times'
  return 1
}

# kafka_libs prints the directory of the Kafka version's jars, which Maven
# fetches once for all instances of this repository.
kafka_libs() { printf '%s/libs/kafka-%s' "$COMMON_DIR" "$KAFKA_VERSION"; }

fetch_kafka() (
  libs=$(kafka_libs)
  mkdir -p -- "${libs%/*}"
  exec {lock}>"$libs.lock" && flock "$lock" || exit 1
  [[ ! -d $libs ]] || exit 0
  say "fetching Kafka $KAFKA_VERSION from Maven Central"
  rm -rf -- "$libs.part"
  mvn -q -B -f "$HERE/kafka/pom.xml" "-Dkafka.version=$KAFKA_VERSION" \
    dependency:copy-dependencies "-DoutputDirectory=$libs.part" </dev/null >"$libs.log" 2>&1 || {
    cat -- "$libs.log" >&2
    exit 1
  }
  mv -- "$libs.part" "$libs"
)
