#!/bin/sh
# databases.sh: keeps the dumps that dump.sh or before-migration.sh has left in /work/dump.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
begun=$(date +%s)
dump=${KOLAB_DUMP:-/work/dump} engine=${KOLAB_BACKUP_TAG:-database}
if [ "$engine" = before-migration ] && [ ! -e "$dump/identity" ]; then say "there is nothing to keep yet"; exit; fi
if look database before-migration; then :; else
  code=$?
  # Backups have come with this very update, and Cyrus' pod has not made the repository yet. The volume has the dump.
  if [ "$engine" = before-migration ] && [ "$code" = 10 ]; then say "there is no repository yet: the dump is on its volume alone"; exit; fi
  explain "$code"
fi
data=$(cat "$dump/identity")
[ "$engine" != database ] || ours database
keep "$engine" "$dump"
say "kept $engine after $(($(date +%s) - begun)) seconds"
