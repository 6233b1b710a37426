# shellcheck shell=bash
# Asks a broker for its metadata over a bare socket: a Java tool would take two
# seconds for the same question. Requests are written in hexadecimal: API key,
# version, correlation id, null client id, body.

# kafka_probe PORT [USER PASSWORD] succeeds when the broker answers and names at
# least one live broker. With a user it first logs in by SASL PLAIN.
kafka_probe() (
  exec 3<>"/dev/tcp/127.0.0.1/$1" || exit 1
  if (($# > 1)); then
    # SaslHandshake v1 and SaslAuthenticate v0: an error code comes first in both answers.
    ask "00110001 00000001 ffff 0005$(hex PLAIN)"
    [[ $(answer) == 0000* ]] || exit 1
    login=$(printf '00%s00%s' "$(hex "$2")" "$(hex "$3")")
    ask "00240000 00000002 ffff $(printf '%08x' $((${#login} / 2)))$login"
    [[ $(answer) == 0000* ]] || exit 1
  fi
  # Metadata v1 of no topics: the answer begins with the number of brokers.
  ask '00030001 00000003 ffff 00000000'
  brokers=$(answer)
  [[ ${#brokers} -gt 8 && ${brokers:0:8} != 00000000 ]]
) 2>/dev/null

hex() { printf '%s' "$1" | od -An -v -tx1 | tr -d ' \n'; }

# ask sends a request with its length before it.
ask() {
  local body=${1// /} bytes='' i
  body=$(printf '%08x' $((${#body} / 2)))$body
  for ((i = 0; i < ${#body}; i += 2)); do bytes+="\\x${body:i:2}"; done
  # shellcheck disable=SC2059 # the format is the bytes
  printf "$bytes" >&3
}

# answer prints the body of an answer, without length and correlation id, in hexadecimal.
answer() {
  local length body
  length=$(take 4)
  [[ -n $length ]] || return 1
  body=$(take $((16#$length)))
  printf '%s' "${body:8}"
}

take() { timeout 5 head -c "$1" <&3 | od -An -v -tx1 | tr -d ' \n'; }
