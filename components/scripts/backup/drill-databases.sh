#!/bin/bash
# drill-databases.sh FOLDER DATABASE...: loads each dump into a server of its own, which nobody else reaches, and counts.
set -eu
# shellcheck source=components/scripts/backup/clients.sh
source "${KOLAB_SCRIPTS:-/kolab/entry}/clients.sh"
folder=$1; shift
place=/work/drill
fail() { echo "backup: the drill of the databases failed: $1" >&2; exit 1; }
first() { # the first of these commands that is in the image
  local each
  for each in "$@"; do command -v "$each" && return; done
  fail "the image has none of $*"
}
server=$(first mariadbd mysqld /usr/libexec/mariadbd /usr/libexec/mysqld /usr/sbin/mariadbd /usr/sbin/mysqld)
install=$(first mariadb-install-db mysql_install_db)
sql() { mysql --no-defaults --socket="$place/socket" -u root -N -B "$@"; }
count() { sql -e "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = '$1'"; }

rm -rf "$place"; mkdir -p "$place"
export TMPDIR=$place # the image's own is read-only
"$install" --no-defaults --datadir="$place/data" --auth-root-authentication-method=normal > "$place/log" 2>&1 \
  || fail "no server can be made here: $(tail -n 1 "$place/log")"
"$server" --no-defaults --datadir="$place/data" --socket="$place/socket" --pid-file="$place/pid" --tmpdir="$place" \
  --skip-networking >> "$place/log" 2>&1 &
until sql -e 'SELECT 1' > /dev/null 2>&1; do
  kill -0 $! 2> /dev/null || fail "the server does not start: $(tail -n 1 "$place/log")"
  sleep 1
done
tables=0
for database in "$@"; do
  tail -n 1 "$folder/$database.sql" | grep -q '^-- Dump completed' || fail "the dump of $database ends too early"
  sql -e "CREATE DATABASE \`$database\`"
  readable < "$folder/$database.sql" | sql --default-character-set=utf8mb4 "$database" || fail "the dump of $database does not load"
  found=$(count "$database")
  # Dumps of an earlier release say nothing of their number.
  wanted=$(cat "$folder/$database.tables" 2> /dev/null || echo "$found")
  [ "$found" = "$wanted" ] || fail "$database has $found tables in place of $wanted"
  tables=$((tables + found))
done
[ "$tables" != 0 ] || fail 'the dumps hold no table'
accounts=$(sql "$1" -e 'SELECT COUNT(*) FROM users')
sql -e 'SHUTDOWN'
wait
rm -rf "$place"
echo "backup: drilled database of $(date -u -d "@$(cat /work/taken)" +%Y-%m-%dT%H:%MZ): $tables tables, $accounts accounts"
