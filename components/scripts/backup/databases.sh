#!/bin/sh
# databases.sh: keeps the dumps that dump.sh has left in /work/dump.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
begun=$(date +%s)
found || explain $?
keep "${KOLAB_BACKUP_TAG:-database}" "${KOLAB_DUMP:-/work/dump}"
say "kept database after $(($(date +%s) - begun)) seconds"
