#!/bin/sh
# files.sh TAG: one backup of MinIO's drive. MinIO puts each object in place whole.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
alone
look "$1" || explain $?
# MinIO's own: the id of the deployment.
data=$(sed -n 's/.*"id":"\([0-9a-f-]*\)".*/\1/p' /data/.minio.sys/format.json 2> /dev/null)
[ "$1" != files ] || ours files
keep "$1" --exclude /data/.minio.sys/tmp /data
