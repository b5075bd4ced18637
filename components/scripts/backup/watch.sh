#!/bin/sh
# watch.sh ENGINE FIRST EVERY: backs ENGINE up by its script, at FIRST (minute of the day, UTC) and each EVERY minutes
# from there. Which backup was the last is read from the repository, so one that a restart has cut short is made at once.
set -u
# shellcheck source=components/scripts/backup/repository.sh
. "${KOLAB_SCRIPTS:-/kolab/entry}/repository.sh"
first=$(($2 * 60)) every=$(($3 * 60))
trap 'exit 0' TERM INT
pause() { sleep "$1" & wait $!; }
while :; do
  touch /work/alive
  now=$(date +%s)
  due=$(((now - first) / every * every + first))
  if [ "$(taken "$1")" -lt "$due" ]; then
    /bin/sh "${KOLAB_SCRIPTS:-/kolab/entry}/$1.sh" "$1" &
    made=$!
    while kill -0 "$made" 2> /dev/null; do touch /work/alive; pause 2; done
    if wait "$made"; then
      say "kept $1 after $(($(date +%s) - now)) seconds"
    else
      for _ in 1 2 3 4 5; do touch /work/alive; pause 60; done
    fi
    continue
  fi
  pause 60
done
