#!/bin/bash
# restore-dump.sh FOLDER DATABASE...: loads a dump from the volume of dumps (before-migration.sh), while nobody uses the
# databases: the newest of tables that the images of now have made; with KOLAB_TO the newest that is not younger, or
# `before-restore`, which is what the last restore has overwritten. KOLAB_TASK=choose says which that is, and ends.
set -eu
folder=$1; shift
work=${KOLAB_WORK:-/work} scripts=${KOLAB_SCRIPTS:-/kolab/entry}
# shellcheck source=components/scripts/backup/dumps.sh
source "$scripts/dumps.sh"
fail() { echo "restore: $1" >&2; exit 1; }
chosen() {
  local each
  if [ "${KOLAB_TO-}" = before-restore ]; then
    [ ! -d "$dumps/before-restore" ] || echo "$dumps/before-restore"
    return
  fi
  newest_first | while read -r each; do
    if [ -n "${KOLAB_TO-}" ]; then
      [[ ! ${each##*/} > $KOLAB_TO ]] || continue
    else
      [ "$(cat "$each/holds")" = "$(cat "$dumps/tables")" ] || continue
    fi
    echo "$each"
    break
  done
}
dump=$(chosen)
if [ -z "$dump" ]; then
  there=$(newest_first | sed 's|.*/||' | tr '\n' ' ')
  case ${KOLAB_TO-} in
    '') why='is of tables that these images have made: put the old digests back and update first, or name a time with --to' ;;
    before-restore) why='was kept by a restore' ;;
    *) why="is as old as $KOLAB_TO" ;;
  esac
  fail "no dump $why. On the volume there are: ${there:-none}"
fi
name=${dump##*/}
echo "restore: it is the dump of ${name/before-restore/before the last restore}"
[ "${KOLAB_TASK-}" != choose ] || exit 0
rm -rf "$folder"; mkdir -p "$folder"
for file in "$dump"/*.gz; do
  packed=${file##*/}
  gzip -dc "$file" > "$folder/${packed%.gz}" || fail "the dump $name cannot be read; nothing was changed"
done
# After a restore that was cut short, what is there is worth nothing, and what was there before it is kept already.
if [ ! -e "$dumps/restoring" ]; then
  bash "$scripts/dump.sh" "$work/now" "$@" > "$work/answer" 2>&1 || fail "what is there could not be kept: $(tail -n 1 "$work/answer"). Nothing was changed"
  rm -rf "$dumps/new"
  mkdir "$dumps/new" && for file in "$work/now"/*; do
    gzip -c "$file" > "$dumps/new/${file##*/}.gz" || { rm -rf "$dumps/new"; fail 'what is there does not fit on the volume of dumps, kolab:storage.dumps; nothing was changed'; }
  done
  rm -rf "$dumps/before-restore"
  mv "$dumps/new" "$dumps/before-restore"
  : > "$dumps/restoring"
fi
bash "$scripts/load.sh" "$folder" "$@"
rm "$dumps/restoring"
