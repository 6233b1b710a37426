# shellcheck shell=bash
# A second Kafka broker as a city would run it: TLS, SASL, and access lists that
# allow nothing that is not granted. For tests of security settings.
#
#   user       password      mechanism       may
#   admin      admin-secret  SCRAM-SHA-512   everything
#   scjg       scjg-secret   SCRAM-SHA-512   what a test grants
#   plainuser  plain-secret  PLAIN           what a test grants
#   CN=datong-client, by certificate         everything

kafka_secure_ports() { echo 4; } # SASL_SSL, SASL_PLAINTEXT, SSL, controller
kafka_secure_address() { echo "127.0.0.1:$1"; }

kafka_secure_ready() {
  local ports
  read -ra ports <<<"$(ports_of "$(home kafka-secure)")"
  kafka_probe "${ports[1]}" plainuser plain-secret
}

kafka_secure_needs() {
  kafka_needs
  command -v openssl >/dev/null || echo openssl
}

kafka_secure_env() {
  local dir ports
  if given kafka-secure; then
    export_line DATONG_TEST_KAFKA_SECURE "$DATONG_TEST_KAFKA_SECURE"
    return
  fi
  dir=$(home kafka-secure)
  read -ra ports <<<"$(ports_of "$dir")"
  export_line DATONG_TEST_KAFKA_SECURE "127.0.0.1:${ports[0]}"
  export_line DATONG_TEST_KAFKA_SECURE_PLAIN_SASL "127.0.0.1:${ports[1]}"
  export_line DATONG_TEST_KAFKA_SECURE_MUTUAL_TLS "127.0.0.1:${ports[2]}"
  export_line DATONG_TEST_KAFKA_CA "$dir/certs/ca.crt"
  export_line DATONG_TEST_KAFKA_CERT "$dir/certs/client.crt"
  export_line DATONG_TEST_KAFKA_KEY "$dir/certs/client.key"
}

kafka_secure_prepare() {
  fetch_kafka || return 1
  make_certificates "$1" || return 1
  kafka_format "$1" --add-scram 'SCRAM-SHA-512=[name=admin,password=admin-secret]' \
    --add-scram 'SCRAM-SHA-512=[name=scjg,password=scjg-secret]' || return 1
}

kafka_secure_run() {
  local dir=$1 sasl_ssl=$2 sasl=$3 ssl=$4 controller=$5
  local login=org.apache.kafka.common.security
  {
    cat <<PROPERTIES
listeners=SASL_SSL://127.0.0.1:$sasl_ssl,SASL_PLAINTEXT://127.0.0.1:$sasl,SSL://127.0.0.1:$ssl,CONTROLLER://127.0.0.1:$controller
advertised.listeners=SASL_SSL://127.0.0.1:$sasl_ssl,SASL_PLAINTEXT://127.0.0.1:$sasl,SSL://127.0.0.1:$ssl
listener.security.protocol.map=CONTROLLER:SASL_PLAINTEXT,SASL_PLAINTEXT:SASL_PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL
inter.broker.listener.name=SASL_PLAINTEXT
controller.quorum.voters=1@127.0.0.1:$controller
sasl.enabled.mechanisms=SCRAM-SHA-512,PLAIN
sasl.mechanism.inter.broker.protocol=SCRAM-SHA-512
sasl.mechanism.controller.protocol=PLAIN
listener.name.controller.sasl.enabled.mechanisms=PLAIN
listener.name.controller.plain.sasl.jaas.config=$login.plain.PlainLoginModule required username="admin" password="admin-secret" user_admin="admin-secret";
listener.name.sasl_plaintext.scram-sha-512.sasl.jaas.config=$login.scram.ScramLoginModule required username="admin" password="admin-secret";
listener.name.sasl_plaintext.plain.sasl.jaas.config=$login.plain.PlainLoginModule required user_plainuser="plain-secret";
listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=$login.scram.ScramLoginModule required;
listener.name.sasl_ssl.plain.sasl.jaas.config=$login.plain.PlainLoginModule required user_plainuser="plain-secret";
ssl.keystore.location=$dir/certs/broker.p12
ssl.keystore.type=PKCS12
ssl.keystore.password=changeit
ssl.key.password=changeit
ssl.truststore.location=$dir/certs/trust.p12
ssl.truststore.type=PKCS12
ssl.truststore.password=changeit
listener.name.ssl.ssl.client.auth=required
authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer
super.users=User:admin;User:CN=datong-client
allow.everyone.if.no.acl.found=false
PROPERTIES
    kafka_common_properties "$dir/data"
  } >"$dir/server.properties"
  kafka_java kafka-secure "$dir" -Xmx512m
}

# make_certificates makes an authority, the broker's certificate and a client's,
# all of them or none.
make_certificates() (
  dir=$1
  [[ ! -d $dir/certs ]] || exit 0
  rm -rf -- "$dir/certs.part"
  mkdir -- "$dir/certs.part" && cd -- "$dir/certs.part" || exit 1
  {
    openssl req -x509 -newkey rsa:2048 -nodes -days 3650 -keyout ca.key -out ca.crt -subj /CN=testbed-ca &&
      sign broker localhost 'subjectAltName=DNS:localhost,IP:127.0.0.1' &&
      sign client datong-client 'extendedKeyUsage=clientAuth' &&
      openssl pkcs12 -export -in broker.crt -inkey broker.key -certfile ca.crt -name broker \
        -out broker.p12 -passout pass:changeit &&
      keytool -importcert -noprompt -alias ca -file ca.crt -keystore trust.p12 \
        -storetype PKCS12 -storepass changeit
  } >openssl.log 2>&1 || {
    cat openssl.log >&2
    exit 1
  }
  mv -- "$dir/certs.part" "$dir/certs"
)

# sign FILE NAME EXTENSION makes FILE.key and FILE.crt for the common name NAME.
sign() {
  printf '%s\n' "$3" >"$1.ext"
  openssl req -newkey rsa:2048 -nodes -keyout "$1.key" -out "$1.csr" -subj "/CN=$2" &&
    openssl x509 -req -in "$1.csr" -CA ca.crt -CAkey ca.key -CAcreateserial -days 3650 \
      -extfile "$1.ext" -out "$1.crt"
}
