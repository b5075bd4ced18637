# shellcheck shell=bash
# Sourced. What the volume holds, found without a server: releases of MariaDB go up and never down.
set -eu
data=/var/lib/mysql/data
# shellcheck disable=SC2034 # for those that source this
client=$(command -v mariadb || command -v mysql)
# shellcheck disable=SC2034
admin=$(command -v mariadb-admin || command -v mysqladmin)

fail() { echo "mariadb: $*" >&2; exit 70; }

# "10.5" of "mariadbd  Ver 10.5.29-MariaDB for Linux" or "10.5.29-MariaDB"
release_in() { grep -oE '[0-9]+\.[0-9]+\.[0-9]+' | head -n 1 | cut -d . -f 1,2; }

# Of the server in this image.
served() {
  local each
  for each in mariadbd mysqld /usr/libexec/mariadbd /usr/libexec/mysqld; do
    ! command -v "$each" > /dev/null || { "$each" --version | release_in; return; }
  done
}

# Of whoever wrote the data last: InnoDB's log begins with its creator's name (log0log.h, LOG_HEADER_CREATOR: 32 bytes from
# the 16th on), and an upgrade leaves its release in a file. Nothing for a volume without data.
held() {
  {
    [ ! -r "$data/ib_logfile0" ] || dd if="$data/ib_logfile0" bs=16 skip=1 count=2 2> /dev/null | tr -d '\0' | release_in
    for each in mysql_upgrade_info mariadb_upgrade_info; do [ ! -r "$data/$each" ] || release_in < "$data/$each"; done
  } | sort -V | tail -n 1
}

older() { [ "$1" != "$2" ] && [ "$(printf '%s\n' "$1" "$2" | sort -V | head -n 1)" = "$1" ]; }

# not_newer: stops before data of a newer release, which this one would spoil. With KOLAB_GOES_BACK, which is the operator's
# `kolab:acknowledge`, they are put aside: the server begins anew, and the dump comes back by hand.
not_newer() {
  local here holds
  here=$(served) holds=$(held)
  [ -n "$here" ] || fail 'this image has no server that tells its release'
  [ -n "$holds" ] && older "$here" "$holds" || return 0
  [ -n "${KOLAB_GOES_BACK-}" ] || fail "the volume holds data of MariaDB $holds, and this image has $here, which cannot read them; nothing was changed. Set kolab:mariadb.release to $holds again, or go back by the dump: docs/how-to/update-the-database.md"
  put_aside "$holds"
}

# A folder whose name begins with a dot is no database. Emptied by a later way back only: two copies of the data are the
# most that the volume is made for.
put_aside() {
  local aside=$data/.kolab-aside each
  # One that was cut short goes on: by its log, which goes last, the data are still of the newer release.
  if [ ! -e "$aside/unfinished" ]; then
    rm -rf "$aside"
    mkdir -m 700 "$aside"
    : > "$aside/unfinished"
  fi
  for each in "$data"/* "$data"/.[!.]*; do
    case ${each##*/} in .kolab-aside | lost+found | mysql | ib_logfile0 | '*' | '.[!.]*') continue ;; esac
    mv "$each" "$aside/"
  done
  for each in mysql ib_logfile0; do [ ! -e "$data/$each" ] || mv "$data/$each" "$aside/"; done
  rm "$aside/unfinished"
  echo "mariadb: the data of MariaDB $1 are put aside, in .kolab-aside on the volume; this server begins without any"
}
