#!/bin/sh
# take.sh SNAPSHOT KIB: in the container with restic, patterns on standard input, one a line: those files of the snapshot
# come out as a tar archive, folder by folder, by their numbers. They take KIB for a while.
set -u
work=${KOLAB_WORK:-/work}
fail() { echo "restore: $1" >&2; exit 1; }
# There is memory for one restic, and room for one mailbox; the lock is that of repository.sh.
exec 9> "$work/lock"
flock -n 9 || { echo 'note: waiting for a backup that is being made' >&2; flock 9; }
# Whoever was killed before has left something.
rm -rf "$work"/mailbox.*
room=$(mktemp -d "$work/mailbox.XXXXXX") || fail "$work cannot be written"
alive=
trap '[ -z "$alive" ] || kill "$alive" 2> /dev/null; rm -rf "$room"' EXIT
trap 'exit 143' TERM HUP INT PIPE
free=$(df -Pk "$work" | awk 'NR == 2 { print $4 }')
[ "$free" -gt "$2" ] || fail "$work has $((free / 1024)) MiB left and $(($2 / 1024)) MiB are needed; nothing was changed"
cat > "$room/wanted"
# Connections on which nothing happens are cut.
while sleep 20 > /dev/null 2>&1 9>&- && kill -0 $$ 2> /dev/null; do echo alive >&2; done > /dev/null 9>&- &
alive=$!
restic restore "$1" --no-lock --quiet --target "$room/tree" --include-file "$room/wanted" > /dev/null 2> "$room/answer"
code=$?
case $code in
  0) ;;
  10) fail 'there is no repository at kolab:backup.repository' ;;
  12) fail 'kolab:backupKey is not the key of this repository' ;;
  *) fail "the backup does not come back (restic left with $code: $(grep . "$room/answer" | tail -n 1 | tr -d '\r' | cut -c 1-300))" ;;
esac
mkdir -p "$room/tree"
cd "$room/tree" || fail "$room cannot be written"
find . -type f | awk -F / '{ name = $NF; folder = substr($0, 1, length($0) - length(name)); printf "%s\t%.0f\t%s\n", folder, name, $0 }' \
  | sort -t "$(printf '\t')" -k 1,1 -k 2,2n | cut -f 3 > ../list
tar -cf - -T ../list
