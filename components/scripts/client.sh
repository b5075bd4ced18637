# shellcheck shell=bash
# Sourced. MariaDB's client, by whichever of its names the image has it: `client OPTION...`. Those of 11.4 and later insist on a
# server that proves by TLS who it is, which an older one cannot; MySQL's own do not know the option, and say so.
KOLAB_CLIENT=$(type -P mysql || type -P mariadb) || {
  echo "entry: neither mysql nor mariadb is in this image, and nobody could ask the database: it differs from the one this stack was made for" >&2
  exit 70
}
client() { "$KOLAB_CLIENT" --loose-skip-ssl-verify-server-cert "$@"; }
