# shellcheck shell=sh
# Sourced. The repository, whose place, key and credentials are variables that restic itself reads.
data="" seen="" spoiled=0
say() { echo "backup: $1"; }
fail() { echo "backup: $1" >&2; exit 1; }
last() { { grep '^Fatal' /work/answer || grep . /work/answer; } | tail -n 1 | tr -d '\r' | cut -c 1-300; }

# Exit codes: https://restic.readthedocs.io/en/stable/075_scripting.html, "Exit codes".
explain() {
  case $1 in
    10) fail "there is no repository at kolab:backup.repository (the first backup of the mail makes it); nothing was changed" ;;
    11) fail "somebody prunes the repository, or was cut short at it (restic unlock, once nobody does); nothing was changed" ;;
    12) fail "kolab:backupKey is not the key of this repository, nothing was changed; put back the key that it was made with, or choose another folder" ;;
    124 | 143) fail "the repository does not answer; nothing was changed" ;;
    *)
      ! grep -qi 'insufficient storage\|no space left' /work/answer || fail "the repository is full; what is in it was left as it is"
      fail "the repository refuses (restic left with $1: $(last))"
      ;;
  esac
}

# look TAG...: what the repository holds of these. In $seen is a line "TIME ID TAG,TAG" for each snapshot, by its time (UTC); in
# $spoiled, of how many nothing is known: restic leaves them out of its list and calls that a success.
look() {
  wanted=""
  for each in "$@"; do wanted="$wanted --tag $each"; done
  # shellcheck disable=SC2086 # words of ours
  seen=$(timeout "${KOLAB_PATIENCE:-120}" restic snapshots --no-lock --host kolab $wanted --json 2> /work/answer) || return
  spoiled=$(grep -c '^Ignoring' /work/answer)
  seen=$(printf '%s\n' "$seen" | sed 's/,"short_id":"[0-9a-f]*"}/\n/g' | sed -n \
    's/.*"time":"\([0-9-]*T[0-9:]*\)[^"]*".*"tags":\[\([^]]*\)\].*"id":"\([0-9a-f]*\)"$/\1 \3 \2/p' | tr -d '"' | sort)
}

# made TAG: the same, after making the repository if there is none. Only beside Cyrus, of which there is one: two that make a
# repository at the same time write two keys, and one of them opens nothing.
made() {
  look "$1" && return
  code=$?
  [ "$code" = 10 ] || explain "$code"
  restic init > /dev/null 2> /work/answer || explain $?
  say "made a new repository; without kolab:backupKey nobody can read it"
}

# A clock that is wrong gives a snapshot a false time. So one that is made while another is still to come names that one with
# the tag after-ID, and whatever is named so is older than it looks.
_ORDER='function has(tag) { return index("," $3 ",", "," tag ",") }
  NF { n = split($3, tags, ","); for (i = 1; i <= n; i++) if (sub(/^after-/, "", tags[i])) older[tags[i]] = 1 }'

# newest TAG: the line of that snapshot in $seen which was made last, "" when there is none.
newest() {
  printf '%s\n' "$seen" | awk -v tag="$1" "$_ORDER"'
    NF && has(tag) { line[$2] = $0; time[$2] = $1 }
    END { for (id in line) if (!(id in older) && (best == "" || time[id] > time[best])) best = id; if (best) print line[best] }'
}

# to_come: ids of what is in $seen with a time that is still to come.
to_come() {
  printf '%s\n' "$seen" | awk -v now="$(date -u +%Y-%m-%dT%H:%M:%S)" "$_ORDER"'
    NF && $1 > now { later[$2] = 1 }
    END { for (id in later) if (!(id in older)) print id }'
}

# ours ENGINE: no backup beside those of other data. A stack that was just made anew is empty, and an empty backup would be
# the newest, the one that a restore takes. What names the data comes back with it: its id is in $data, "" where unknown.
ours() {
  theirs=$(newest "$1" | sed -n 's/.*[ ,]data-\([0-9a-f-]*\).*/\1/p')
  [ -z "$theirs" ] || [ "$theirs" = "$data" ] || fail "the repository holds backups of $1 from before this stack was made, so none is made\
 of what is here: bring those back with ./kolab backup restore $1, or choose another kolab:backup.repository.folder"
}

# alone: waits until no other backup is made in this container, where both would use the same folder for their copies.
alone() {
  exec 9> /work/lock
  flock 9
}

# keep TAG RESTIC-ARGUMENTS...: one snapshot, after `look`. 3 means that some file could not be read: one that has gone is no loss.
keep() {
  tag=$1; shift
  [ -z "$data" ] || set -- --tag "data-$data" "$@"
  if [ "$spoiled" != 0 ]; then
    say "$spoiled snapshots of the repository are spoiled (restic check); what is kept now is not"
    # Looking for what to compare with, restic stumbles over them.
    parent=$(newest "$tag" | cut -d ' ' -f 2)
    if [ -n "$parent" ]; then set -- --parent "$parent" "$@"; else set -- --force "$@"; fi
  fi
  later=$(to_come)
  [ -z "$later" ] || say "the time of another backup of $tag is still to come, so a clock is wrong or was; this one counts as the newer"
  for each in $later; do set -- --tag "after-$each" "$@"; done
  # Nobody watches its progress, for which it would walk through all folders once more.
  restic backup --host kolab --tag "$tag" --quiet --no-scan "$@" > /work/summary 2> /work/answer
  code=$?
  if [ "$code" = 3 ]; then
    grep -i '^error' /work/answer | grep -v 'no such file or directory' > /work/unread
    [ ! -s /work/unread ] || fail "the backup of $tag is incomplete, $(wc -l < /work/unread) files could not be read, the first: $(head -n 1 /work/unread | cut -c 1-300)"
  elif [ "$code" != 0 ]; then
    explain "$code"
  fi
}

# taken TAG: when the newest snapshot of the past was begun, in seconds since 1970; 0 when there is none.
taken() {
  look "$1" || { echo 0; return; }
  at=$(printf '%s\n' "$seen" | awk -v now="$(date -u +%Y-%m-%dT%H:%M:%S)" 'NF && $1 <= now { at = $1 } END { print at }')
  if [ -z "$at" ]; then echo 0; else date -u -d "$(echo "$at" | tr T ' ')" +%s; fi
}
