# shellcheck shell=bash
# Sourced. MariaDB's clients by either name: its own images have none of MySQL's. Those of 11.4 and later insist on a server
# that proves by TLS who it is, which an older one cannot; passwords have crossed the cluster's network as they always did.
mysql() { speak mariadb mysql "$@"; }
mysqldump() { speak mariadb-dump mysqldump "$@"; }
speak() {
  local program
  program=$(type -P "$1" || type -P "$2") || { echo "$1 is not in this image" >&2; return 127; }
  "$program" "${@:3}" --skip-ssl-verify-server-cert
}

# readable: a dump as the client of this image reads it. Clients since 10.5.25 begin theirs with a line that older ones refuse
# (MariaDB: "enable the sandbox mode").
readable() { if mysql --help | grep -q -- ' --sandbox'; then cat; else sed '1{/enable the sandbox mode/d;}'; fi; }
