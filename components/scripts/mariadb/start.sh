#!/bin/bash
# Starts a server of MariaDB's own image, on data of this release or of an older one. Accounts and system tables are made
# ready on a socket that nobody else reaches, so nobody is served from data that are half upgraded. Killed at any point,
# the next start goes on from there.
# shellcheck source=components/scripts/mariadb/data.sh
source "${KOLAB_SCRIPTS:-/kolab/entry}/data.sh"
work=${KOLAB_WORK:-/tmp} ready=${KOLAB_WORK:-/tmp}/initialized
private=$work/private.sock said=$work/said
rm -f "$ready"
here=$(served) release=$KOLAB_RELEASE
[ "$here" = "$release" ] || fail "the image has MariaDB ${here:-of no known release}, and kolab:mariadb.release says $release: pin an image of that release"
not_newer
holds=$(held)

server() {
  # No option file: images bring different ones. Collations are those of 10.5, so that tables which say nothing of theirs
  # can still be compared with older ones, and a dump goes back into 10.5.
  "$@" mariadbd --no-defaults --datadir="$data" --tmpdir="$work" --pid-file="$work/mariadbd.pid" --skip-name-resolve \
    --character-set-server=utf8mb4 --collation-server=utf8mb4_unicode_ci --character-set-collations= \
    --max-allowed-packet=200M --innodb-buffer-pool-size="$KOLAB_BUFFER_POOL" "${options[@]}"
}
sql() { "$client" --no-defaults --socket="$private" --user=root -N -B "$@"; }

# A first start that was cut short has served nobody.
new=$data/kolab-first-start
if [ -e "$new" ]; then
  echo 'mariadb: the first start was cut short; it begins anew'
  find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .kolab-aside ! -name kolab-first-start -exec rm -rf {} +
fi
if [ ! -d "$data/mysql" ]; then
  other=$(find "$data" -mindepth 1 -maxdepth 1 ! -name lost+found ! -name .kolab-aside ! -name kolab-first-start | head -n 1)
  [ -z "$other" ] || fail "the volume holds ${other##*/} and no system tables: these are no data of MariaDB's; nothing was changed"
  : > "$new"
  mariadb-install-db --no-defaults --datadir="$data" --tmpdir="$work" --rpm --auth-root-authentication-method=normal --skip-test-db > "$said" 2>&1 \
    || { cat "$said" >&2; fail 'the system tables could not be made: why stands above'; }
elif older "$holds" "$here"; then
  echo "mariadb: MariaDB $here takes over data of $holds; nobody is served until their system tables are upgraded"
fi

: > "$said"
options=(--skip-networking --socket="$private")
server exec > >(tee -a "$said") 2>&1 &
pid=$!
# Its log is read by its end, and it may rest a moment in a pipe.
until sql -e 'SELECT 1' > /dev/null 2>&1; do
  if ! kill -0 "$pid" 2> /dev/null; then
    sleep 1
    if grep -q 'after a crash is not supported' "$said"; then
      fail "MariaDB $holds was not stopped in order, and only that release can read the log that it left; nothing was changed. Set kolab:mariadb.release to $holds again, let it start, and then go on: docs/how-to/update-the-database.md"
    fi
    fail 'the server does not start on these data: why stands above'
  fi
  ! sql -e 'SELECT 1' 2>&1 | grep -q 'Access denied' || fail 'root has a password on the server itself, which no image of this stack gives it: take it away with the old release'
  sleep 0.5
done

# Does nothing on tables of this release. It notes the release last, so what was cut short is done again.
if [ ! -e "$new" ]; then
  mariadb-upgrade --no-defaults --socket="$private" --user=root < /dev/null \
    || fail "the system tables could not be upgraded to $here: why stands above; nobody is served, and the next start tries again"
fi
for part in HKCCP KOLAB RC; do
  database=DB_${part}_DATABASE user=DB_${part}_USERNAME password=DB_${part}_PASSWORD
  cat << SQL
CREATE DATABASE IF NOT EXISTS \`${!database}\` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS '${!user}'@'%' IDENTIFIED BY '${!password}';
ALTER USER '${!user}'@'%' IDENTIFIED BY '${!password}';
GRANT ALL PRIVILEGES ON \`${!database}\`.* TO '${!user}'@'%';
ALTER USER IF EXISTS '${!user}'@'127.0.0.1' IDENTIFIED BY '${!password}';
SQL
done > "$work/accounts"
# Root by the name of this host, and nobody at all: both without a password.
[ ! -e "$new" ] || echo "DELETE FROM mysql.global_priv WHERE User = '' OR User = 'root' AND Host NOT IN ('localhost', '%'); FLUSH PRIVILEGES;" >> "$work/accounts"
cat >> "$work/accounts" << SQL
CREATE USER IF NOT EXISTS 'root'@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
ALTER USER 'root'@'%' IDENTIFIED BY '$MYSQL_ROOT_PASSWORD';
GRANT ALL PRIVILEGES ON *.* TO 'root'@'%' WITH GRANT OPTION;
SQL
sql < "$work/accounts" || fail 'the accounts could not be made: why stands above'
rm -f "$work/accounts"
"$admin" --no-defaults --socket="$private" --user=root shutdown
wait "$pid" || fail 'the server did not stop in order after it had been made ready: why stands above'
# As sclorg's image does: what data these are, for whoever looks from outside.
[ -e "$data/mariadb_upgrade_info" ] || mariadbd --version | grep -oE '[0-9]+\.[0-9]+\.[0-9]+-MariaDB' | head -n 1 > "$data/mariadb_upgrade_info"
rm -f "$new"
: > "$ready"
options=(--port=3306 --socket="$work/mysql.sock" --max-connections="$MYSQL_MAX_CONNECTIONS")
server exec
