#!/bin/bash
# Fills an empty database, once; brings the tables of one that holds accounts to this image. The image's own `seed` role takes
# any failure of its check (a wrong password, a DNS hiccup) for "empty" and then drops every table; this script never drops
# anything.
set -eu
source /kolab/entry/client.sh
cd /opt/app-root/src
source /kolab/entry/prepare.sh
query() { MYSQL_PWD=$DB_PASSWORD client -N -B -u "$DB_USERNAME" -h "$DB_HOST" "$DB_DATABASE" -e "$1"; }
# An answer that is no number is no answer, least of all "none".
count() {
  local found
  found=$(query "SELECT COUNT(*) FROM $1") || found=
  case $found in '' | *[!0-9]*) echo "seed: the database does not answer about $1; nothing was changed" >&2; return 1 ;; esac
  echo "$found"
}
half_made() {
  echo "seed: the database was left half-made by an earlier seed. If it holds nothing of value, drop and create it, then delete this Job." >&2
  exit 1
}
until query 'SELECT 1' > /dev/null; do echo "seed: waiting for the database"; sleep 3; done
tables=$(count "information_schema.tables WHERE table_schema = DATABASE() AND table_name IN ('migrations', 'users')")
case $tables in
  0)
    echo "seed: the database is empty: creating tables and the first accounts"
    php -dmemory_limit=512M ./artisan migrate --seed --force
    ;;
  2)
    migrations=$(count migrations)
    users=$(count users)
    if [ "$migrations" = 0 ] || [ "$users" = 0 ]; then half_made; fi
    echo "seed: the database holds accounts: only its tables are brought to this image"
    php -dmemory_limit=512M ./artisan migrate --force
    ;;
  *) half_made ;;
esac
# What counts is what the database says. A migration is noted there under its file's name (Laravel: Migrator,
# getMigrationName), but for one that may choose not to run.
[ -d database/migrations ] || { echo "seed: the image has no database/migrations: it differs from the one this stack was made for" >&2; exit 70; }
noted=" $(query 'SELECT migration FROM migrations' | tr '\n' ' ')"
missing=
for file in database/migrations/*.php; do
  name=${file##*/} name=${name%.php}
  case $noted in *" $name "*) continue ;; esac
  grep -q 'function shouldRun' "$file" || missing+=" $name"
done
[ -z "$missing" ] || { echo "seed: the tables lack what these migrations make:$missing; why stands above, and nothing that needs them was started" >&2; exit 1; }
untouched=$(count "users WHERE email = 'admin@$APP_DOMAIN' AND created_at = updated_at")
[ "$untouched" != 1 ] || ./artisan user:password "admin@$APP_DOMAIN" "$ADMIN_PASSWORD"
# Without the registries' address ranges the SPF policy defers every inbound message; Postfix waits for them.
ranges=$(count ip4nets)
if [ "$ranges" = 0 ]; then
  echo "seed: importing address ranges"
  php -dmemory_limit=512M ./artisan data:import
  ranges=$(count ip4nets)
  [ "$ranges" != 0 ] || { echo "seed: data:import left ip4nets empty: the registries could not be reached" >&2; exit 1; }
fi
echo "seed: done"
