#!/bin/sh
# move.sh STAGE BUCKET: copies files from MinIO (remote `old`) to Versity Gateway (remote `new`), again each minute, and
# compares them: /work/done is there while nothing is missing. Both are asked by S3, for nobody but MinIO reads its drive.
#
# minio-to-versitygw: people work with the old one; the new one becomes the same, deletions included.
# versitygw-from-minio: people work with the new one. All that is missing comes over once, before pages change, and then
# what was still being written to the old one. What is deleted in the new one meanwhile stays deleted: bucket `moved` remembers
# that the first part is over.
set -u
stage=$1 from=old:$2 to=new:$2 mark=new:moved/all
say() { echo "files: $1"; }
trap 'exit 0' TERM INT
pause() { sleep "$1" & wait $!; }
why() { grep -v '^ *$' /work/answer | tail -n 1 | sed 's/^[0-9/]* [0-9:]* //' | cut -c 1-500; }
ask() { # ask ARGUMENTS...: rclone, for as long as it takes
  rclone --config /dev/null --cache-dir /work/cache --fast-list --use-server-modtime --checksum --retries 1 --low-level-retries 3 \
    --stats 10m --stats-one-line "$@" > /work/said 2> /work/answer &
  asked=$!
  while kill -0 "$asked" 2> /dev/null; do touch /work/alive; pause 1; done
  wait "$asked"
}
files() { sed -n 's/.*"count":\([0-9]*\).*/\1/p' /work/said; }
bytes() { sed -n 's/.*"bytes":\([0-9]*\).*/\1/p' /work/said; }
size() { ask size --json "$1" && [ -n "$(files)" ]; }
mirror() {
  ask deletefile "$mark"
  size "$from" || return
  there=$(files)
  size "$to" || return
  if [ "$there" = 0 ] && [ "$(files)" != 0 ]; then
    echo "MinIO shows no file, and $(files) were copied from it: they are left as they are" > /work/answer
    return 1
  fi
  ask sync "$from" "$to" && same
}
same() { # every file of the old one is in the new one, with its size, and its checksum where the old one knows it
  ask check --one-way "$from" "$to" && size "$from"
}
follow() {
  if ask lsf "$mark" && grep -q . /work/said; then
    ask copy --ignore-existing --max-age 2d "$from" "$to"
    return
  fi
  ask copy --ignore-existing "$from" "$to" && same || return
  cp /work/said /work/all && ask copyto /work/all "$mark" && cp /work/all /work/said
}
copy() {
  case $stage in
    minio-to-versitygw) mirror ;;
    *) follow ;;
  esac
}
told=""
while :; do
  touch /work/alive
  if copy; then
    touch /work/done
    words="all is copied"
    [ -z "$(files)" ] || words="all is copied: $(files) files, $(bytes) bytes, and each is the same in both"
  else
    rm -f /work/done
    words="not all is copied, and it is tried again: $(why)"
  fi
  [ "$words" = "$told" ] || say "$words"
  told=$words
  for _ in 1 2 3 4 5 6; do touch /work/alive; pause 10; done
done
