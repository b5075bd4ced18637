#!/bin/sh
# files.sh TAG: one backup of MinIO's drive. MinIO puts each object in place whole.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
found || explain $?
keep "$1" --exclude /data/.minio.sys/tmp /data
