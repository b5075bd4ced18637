#!/bin/sh
# mail.sh TAG [SPOOL STATE STAGE]: one backup of Cyrus while it works.
#
# First the databases and the index of each mailbox, in copies during which nothing wrote to them; then the messages.
# So every message that an index of the backup names is in it: Cyrus removes files of messages only days after they are
# expunged. What is delivered meanwhile has a file and no entry; `reconstruct` enters it when the backup is restored.
set -u
spool=${2:-/var/spool/imap} state=${3:-/var/lib/imap} stage=${4:-/work/stage}
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"

every() { # every FIND-ARGUMENTS...: databases before indexes
  # What only tells about processes that run is written all the time (imapd.conf(5), prometheus_stats_dir).
  find "$state" -type f ! -path "$state/socket/*" ! -path "$state/lock/*" ! -path "$state/proc/*" ! -path "$state/stats/*" "$@"
  find "$spool" -type f -name 'cyrus.*' ! -name 'cyrus.cache' ! -name 'cyrus.squat*' "$@"
}
copied() { # copied LIST. A file that went meanwhile is left out.
  tar -cf - -T "$1" 2> /dev/null | tar -xf - -C "$stage" 2> /dev/null
}

[ ! -e "$state/.restoring" ] || fail "the mailboxes are restored in part only, so no backup is made of them"
alone
made "$1"
data=$(cat "$state/.identity" 2> /dev/null)
[ "$1" != mail ] || ours mail
rm -rf "$stage"
mkdir -p "$stage$spool" "$stage$state"
every > /work/list
round=0
while [ -s /work/list ]; do
  round=$((round + 1))
  [ "$round" -le 20 ] || break
  # A second earlier: two writes within one tick of the clock have the same time.
  touch -d "@$(($(date +%s) - 1))" /work/mark
  copied /work/list
  [ "$round" = 1 ] || sleep 2
  every -newer /work/mark > /work/list
done
[ ! -s /work/list ] || say "$(wc -l < /work/list) index files never rested; reconstruct mends them when they are restored"
# What a drill compares with.
printf 'wanted_mailboxes=%s\nwanted_messages=%s\n' "$(find "$stage$spool" -type f -name cyrus.header | wc -l)" \
  "$(find "$spool" -type f -name '[0-9]*.' | wc -l)" > "$stage$state/.manifest"
# Not in the copies: an exclusion without its folder would hold for them as well.
set -- "$1" --exclude "$spool/stage."
for name in index header annotations expunge 'squat*'; do set -- "$@" --exclude "$spool/**/cyrus.$name"; done
keep "$@" "$stage" "$spool"
rm -rf "$stage"
