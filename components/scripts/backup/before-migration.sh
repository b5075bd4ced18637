#!/bin/bash
# before-migration.sh FOLDER DATABASE...: what the databases hold before images change their tables, in FOLDER and, packed, on
# the volume of dumps. There, `tables` names the migration that followed last, which is KOLAB_MIGRATION from now on, and `holds`
# in each dump the one that had made its tables. A run before no new migration leaves the volume as it is.
set -eu
# shellcheck source=components/scripts/backup/clients.sh
source "${KOLAB_SCRIPTS:-/kolab/entry}/clients.sh"
folder=$1; shift
work=${KOLAB_WORK:-/work} kept=3
# shellcheck source=components/scripts/backup/dumps.sh
source "${KOLAB_SCRIPTS:-/kolab/entry}/dumps.sh"
fail() { echo "dump: $1; nothing was migrated, and what runs is as it was" >&2; exit 1; }
first=KOLAB_PASSWORD_$1
asked() { MYSQL_PWD=${!first} mysql --host="$DB_HOST" --user="$database" -N -B "$database" --execute="$1" 2> "$work/reason"; }
database=$1 tries=0
until accounts=$(asked "SELECT COUNT(*) FROM information_schema.tables WHERE table_schema = DATABASE() AND table_name = 'users'"); do
  tries=$((tries + 1))
  # A database that starts in the same update has as long as its startup probe.
  [ "$tries" -lt 200 ] || fail "the databases at $DB_HOST cannot be dumped: $(tail -n 1 "$work/reason")"
  sleep 3
done
was=$(cat "$dumps/tables" 2> /dev/null || echo unknown)
noted() { echo "$KOLAB_MIGRATION" > "$dumps/tables" || fail 'the volume of dumps cannot be written'; }
case $accounts in
  0) echo 'dump: there are no accounts yet, so there is nothing to dump'; noted; exit ;;
  1) ;;
  *) fail "the database $database on $DB_HOST does not say whether it holds accounts" ;;
esac
if ! said=$(bash "${KOLAB_SCRIPTS:-/kolab/entry}/dump.sh" "$folder" "$@" 2>&1); then
  said=${said##*backup: }
  fail "${said%; no backup was made}"
fi
if [ "$was" = "$KOLAB_MIGRATION" ]; then
  echo 'dump: these images have made the tables already, so the volume keeps the dumps that it has'
  exit
fi
last=$(numbered | head -n 1 | cut -d ' ' -f 1)
newest_first | tail -n "+$kept" | while read -r old; do rm -rf "$old"; done
new=$dumps/new
rm -rf "$new"
{
  mkdir "$new" && echo "$was" > "$new/holds" && echo $((${last:-0} + 1)) > "$new/number" && for file in "$folder"/*; do gzip -c "$file" > "$new/${file##*/}.gz" || exit; done
} 2> "$work/reason" || { why=$(tail -n 1 "$work/reason"); rm -rf "$new"; fail "the dump does not go onto its volume, whose size is kolab:storage.dumps: $why"; }
name=$(date -u +%Y-%m-%dT%H:%M:%SZ)
mv "$new" "$dumps/$name"
noted
echo "dump: what the databases held at $name is on its volume"
