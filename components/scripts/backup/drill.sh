#!/bin/sh
# drill.sh ENGINE: brings the newest snapshot of ENGINE back into volumes that nobody uses, and reads each file once more.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
spool=${KOLAB_SPOOL:-/var/spool/imap} state=${KOLAB_STATE:-/var/lib/imap} stage=${KOLAB_STAGE:-/work/stage}
look "$1" || explain $?
[ "$spoiled" = 0 ] || fail "the newest backup of $1 does not come back: $spoiled snapshots of the repository are spoiled, maybe this one"
chosen=$(newest "$1")
[ -n "$chosen" ] || fail "there is no backup of $1 to drill with"
at=$(date -u -d "$(echo "${chosen%% *}" | tr T ' ')" +%s)
id=$(echo "$chosen" | cut -d ' ' -f 2)
back() { # back FOLDER-OF-SNAPSHOT TARGET
  restic restore "$id:$1" --target "$2" --verify --quiet > /work/summary 2> /work/answer && return
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
