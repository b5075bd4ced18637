# shellcheck shell=sh
# Sourced. The repository, whose place, key and credentials are variables that restic itself reads.
data=""
say() { echo "backup: $1"; }
fail() { echo "backup: $1" >&2; exit 1; }
last() { grep . /work/answer | tail -n 1 | tr -d '\r' | cut -c 1-300; }

# Exit codes: https://restic.readthedocs.io/en/stable/075_scripting.html, "Exit codes".
explain() {
  case $1 in
    10) fail "there is no repository at kolab:backup.repository (the first backup of the mail makes it); nothing was changed" ;;
    12) fail "kolab:backupKey is not the key of this repository, nothing was changed; put back the key that it was made with, or choose another folder" ;;
    124 | 143) fail "the repository does not answer; nothing was changed" ;;
    *) fail "the repository refuses (restic left with $1: $(last))" ;;
  esac
}

# found: whether there is a repository, and the key is its own.
found() { timeout 120 restic cat config > /dev/null 2> /work/answer; }

# made: the same, after making it if there is none. Only beside Cyrus, of which there is one: two that make a repository
# at the same time write two keys, and one of them opens nothing.
made() {
  found && return
  code=$?
  [ "$code" = 10 ] || explain "$code"
  restic init > /dev/null 2> /work/answer || explain $?
  say "made a new repository; without kolab:backupKey nobody can read it"
}

# ours ENGINE: no backup beside those of other data. A stack that was just made anew is empty, and an empty backup would be
# the newest, the one that a restore takes. What names the data comes back with it: its id is in $data, "" where unknown.
ours() {
  theirs=$(timeout 300 restic snapshots --no-lock --host kolab --tag "$1" --latest 1 --json 2> /work/answer \
    | sed -n 's/.*"data-\([0-9a-f-]*\)".*/\1/p')
  [ -z "$theirs" ] || [ "$theirs" = "$data" ] || fail "the repository holds backups of $1 from before this stack was made, so none is made\
 of what is here: bring those back with ./kolab backup restore $1, or choose another kolab:backup.repository.folder"
}

# alone: waits until no other backup is made in this container, where both would use the same folder for their copies.
alone() {
  exec 9> /work/lock
  flock 9
}

# keep TAG RESTIC-ARGUMENTS...: one snapshot. 3 means that some file could not be read: one that has gone is no loss.
keep() {
  tag=$1; shift
  [ -z "$data" ] || set -- --tag "data-$data" "$@"
  restic backup --host kolab --tag "$tag" --quiet "$@" > /work/summary 2> /work/answer
  code=$?
  if [ "$code" = 3 ]; then
    grep -i '^error' /work/answer | grep -v 'no such file or directory' > /work/unread
    [ ! -s /work/unread ] || fail "the backup of $tag is incomplete, $(wc -l < /work/unread) files could not be read, the first: $(head -n 1 /work/unread | cut -c 1-300)"
  elif [ "$code" != 0 ]; then
    explain "$code"
  fi
}

# taken TAG: when the newest snapshot was begun, in seconds since 1970; 0 when there is none.
taken() {
  at=$(timeout 300 restic snapshots --no-lock --host kolab --tag "$1" --latest 1 --json 2> /work/answer) || { echo 0; return; }
  at=$(printf %s "$at" | sed -n 's/.*"time":"\([0-9-]*\)T\([0-9:]*\)[^"]*".*/\1 \2/p')
  if [ -z "$at" ]; then echo 0; else date -u -d "$at" +%s; fi
}
