#!/bin/sh
# restore.sh ENGINE: writes snapshot KOLAB_SNAPSHOT where ENGINE keeps its data, while that is down. What is there now is
# backed up first. Killed half-way, it is run again; Cyrus does not start on what is half restored.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
case ${KOLAB_SNAPSHOT:-} in '' | *[!0-9a-f]*) fail "no snapshot was named; use ./kolab backup restore" ;; esac
spool=${KOLAB_SPOOL:-/var/spool/imap} state=${KOLAB_STATE:-/var/lib/imap} stage=${KOLAB_STAGE:-/work/stage}
unread() { # unread CODE: nothing has been changed yet
  [ "$1" != 1 ] || fail "snapshot $KOLAB_SNAPSHOT cannot be read from the repository, nothing was changed: $(last)"
  explain "$1"
}
there() { timeout "${KOLAB_PATIENCE:-120}" restic cat snapshot "$KOLAB_SNAPSHOT" --no-lock > /dev/null 2> /work/answer || unread $?; }
back() { # back FOLDER-OF-SNAPSHOT TARGET MORE...
  from=$1 to=$2; shift 2
  restic restore "$KOLAB_SNAPSHOT:$from" --target "$to" --quiet "$@" > /work/summary 2> /work/answer && return
  code=$?
  case $code in 10 | 11 | 12) explain "$code" ;; esac
  fail "$to was restored in part only; run the same restore again (restic left with $code: $(last))"
}
over() { # over FOLDER TARGET: what lies in FOLDER goes over what lies in TARGET. Not the folder itself, which may be a volume's root.
  for each in "$1"/* "$1"/.[!.]*; do
    [ ! -e "$each" ] || cp -a "$each" "$2" 2> /work/answer || fail "$2 was restored in part only; run the same restore again ($(last))"
  done
}
case $1 in
  mail)
    half=$state/.restoring
    if [ ! -e "$half" ] && [ -e "$state/mailboxes.db" ]; then
      /bin/sh "${KOLAB_SCRIPTS:-/kolab/entry}/mail.sh" before-restore-mail "$spool" "$state" "$stage" || fail "what is there could not be kept; nothing was changed"
      say "what was there is kept as before-restore-mail"
    fi
    # Each call of restic derives the key anew, so databases and indexes come in one, and from there to their volumes.
    rm -rf "$stage"
    restic restore "$KOLAB_SNAPSHOT:$stage" --target "$stage" --quiet > /work/summary 2> /work/answer || unread $?
    identity=$(cat "$state/.identity" 2> /dev/null)
    : > "$half" || fail "$state cannot be written; nothing was changed"
    back "$spool" "$spool" --delete
    over "$stage$spool" "$spool"
    find "$state" -mindepth 1 ! -path "$half" ! -name lost+found -delete 2> /work/answer || fail "$state was restored in part only; run the same restore again ($(last))"
    over "$stage$state" "$state"
    rm -rf "$stage"
    mkdir -p "$state/socket" "$state/db"
    # A backup of an earlier release says nothing of whose it is; these are the same mailboxes.
    [ -e "$state/.identity" ] || [ -z "$identity" ] || echo "$identity" > "$state/.identity"
    rm "$half"
    ;;
  files)
    there
    look before-restore-files || explain $?
    keep before-restore-files --exclude /data/.minio.sys/tmp /data
    back /data /data --delete
    ;;
  objects)
    there
    look before-restore-objects || explain $?
    keep before-restore-objects --exclude '/data/objects/*/.sgwtmp' /data
    back /data /data --delete
    ;;
  database)
    there
    back /work/dump /work/dump
    # The container that loads it has another user.
    chmod -R a+rX /work/dump
    ;;
esac
say "restored $1"
