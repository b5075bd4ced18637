#!/bin/bash
# dump.sh FOLDER DATABASE...: one file for each, consistent in itself, without stopping anybody. The password of DATABASE
# is the variable KOLAB_PASSWORD_<DATABASE>. Accounts of MariaDB itself are made by its image from the stack's secrets.
set -eu
# shellcheck source=components/scripts/backup/clients.sh
source "${KOLAB_SCRIPTS:-/kolab/entry}/clients.sh"
folder=$1; shift
mkdir -p "$folder"
# Comes back with the accounts (repository.sh).
first=KOLAB_PASSWORD_$1
MYSQL_PWD=${!first} mysql --host="$DB_HOST" --user="$1" -N -B "$1" > "$folder/identity" -e "
  CREATE TABLE IF NOT EXISTS kolab_backup (id CHAR(36) PRIMARY KEY);
  INSERT INTO kolab_backup SELECT UUID() FROM DUAL WHERE NOT EXISTS (SELECT * FROM kolab_backup);
  SELECT id FROM kolab_backup" || { echo "backup: $1 cannot be reached; no backup was made" >&2; exit 1; }
for database in "$@"; do
  password=KOLAB_PASSWORD_$database
  MYSQL_PWD=${!password} mysqldump --host="$DB_HOST" --user="$database" --single-transaction --quick --routines --events \
    --triggers --hex-blob --no-tablespaces --default-character-set=utf8mb4 "$database" > "$folder/$database.sql" \
    || { echo "backup: $database could not be dumped; no backup was made" >&2; exit 1; }
  tail -n 1 "$folder/$database.sql" | grep -q '^-- Dump completed' || { echo "backup: the dump of $database ends too early; no backup was made" >&2; exit 1; }
  # What a drill compares with.
  MYSQL_PWD=${!password} mysql --host="$DB_HOST" --user="$database" -N -B "$database" \
    -e 'SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE()' > "$folder/$database.tables"
done
