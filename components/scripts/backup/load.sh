#!/bin/bash
# load.sh FOLDER DATABASE...: puts each database back as it was when dump.sh ran. Tables that the dump does not know go.
set -eu
# shellcheck source=components/scripts/backup/clients.sh
source "${KOLAB_SCRIPTS:-/kolab/entry}/clients.sh"
folder=$1; shift
for database in "$@"; do
  tail -n 1 "$folder/$database.sql" | grep -q '^-- Dump completed' || { echo "restore: the dump of $database is not whole; nothing was changed" >&2; exit 1; }
done
for database in "$@"; do
  password=KOLAB_PASSWORD_$database
  export MYSQL_PWD=${!password}
  sql() { mysql --host="$DB_HOST" --user="$database" --default-character-set=utf8mb4 "$database" "$@"; }
  # A dump of an earlier release says nothing of whose it is; these are the same accounts.
  known=$(sql -N -B -e 'SELECT id FROM kolab_backup' 2> /dev/null || true)
  {
    echo 'SET FOREIGN_KEY_CHECKS = 0;'
    sql -N -B -e "SELECT CONCAT('DROP ', IF(table_type = 'VIEW', 'VIEW', 'TABLE'), ' \`', table_name, '\`;') FROM information_schema.tables WHERE table_schema = DATABASE()"
    readable < "$folder/$database.sql"
  } > "${KOLAB_WORK:-/work}/load"
  sql < "${KOLAB_WORK:-/work}/load" || { echo "restore: $database was loaded in part only; run the same restore again" >&2; exit 1; }
  rm "${KOLAB_WORK:-/work}/load"
  if [ -n "$known" ] && ! sql -e 'SELECT id FROM kolab_backup' > /dev/null 2>&1; then
    sql -e "CREATE TABLE kolab_backup (id CHAR(36) PRIMARY KEY); INSERT INTO kolab_backup VALUES ('$known')"
  fi
  echo "restore: $database is back: $(sql -N -B -e "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()") tables"
done
