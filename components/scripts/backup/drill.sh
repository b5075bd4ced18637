#!/bin/sh
# drill.sh ENGINE: brings the newest snapshot of ENGINE back into volumes that nobody uses, and reads each file once more.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
spool=${KOLAB_SPOOL:-/var/spool/imap} state=${KOLAB_STATE:-/var/lib/imap} stage=${KOLAB_STAGE:-/work/stage}
found || explain $?
at=$(taken "$1")
[ "$at" != 0 ] || fail "there is no backup of $1 to drill with, or it cannot be read: $(last)"
back() { # back FOLDER-OF-SNAPSHOT TARGET
  restic restore "latest:$1" --host kolab --tag "$tag" --target "$2" --verify --quiet > /work/summary 2> /work/answer && return
  fail "the newest backup of $tag does not come back: $(last)"
}
tag=$1
case $tag in
  mail)
    back "$spool" "$spool"
    back "$stage$spool" "$spool"
    back "$stage$state" "$state"
    mkdir -p "$state/socket" "$state/db"
    echo "$at" > "$state/.taken"
    ;;
  database)
    back /work/dump /work/dump
    chmod -R a+rX /work/dump
    echo "$at" > /work/taken
    ;;
esac
say "brought $tag of $(date -u -d "@$at" +%Y-%m-%dT%H:%MZ) back for a drill"
