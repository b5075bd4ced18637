#!/bin/sh
# objects.sh TAG: one backup of Versity Gateway's volume. It puts each object in place whole, its attributes with it; what is
# still being uploaded lies in .sgwtmp.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
alone
look "$1" || explain $?
# Made by the gateway's start.sh.
data=$(cat /data/identity 2> /dev/null)
[ "$1" != objects ] || ours objects
keep "$1" --exclude '/data/objects/*/.sgwtmp' /data
