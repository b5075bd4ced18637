# shellcheck shell=bash
# Sourced by every entry.sh, which adjusts the image with these functions and then sources $KOLAB_INIT. An adjustment
# that does not take stops the container with a sentence: never does a daemon run with half of them.
set -eu
KOLAB_INIT=/tmp/kolab-init.sh # the copy of the image's own init that is adjusted

fail() { echo "entry: $*" >&2; exit 70; }

# replace FILE TIMES LINE BY: put BY (any number of lines) where exactly TIMES whole lines of FILE equal LINE, byte by byte
replace() {
  local line found=0 out
  [ -r "$1" ] || fail "$1 is not in this image: it differs from the one this stack was made for"
  out=$(mktemp)
  while IFS= read -r line || [ -n "$line" ]; do
    if [ "$line" = "$3" ]; then found=$((found + 1)); line=$4; fi
    printf '%s\n' "$line"
  done < "$1" > "$out"
  [ "$found" = "$2" ] || fail "expected $2 line(s) '$3' in $1, found $found: the image differs from the one this stack was made for"
  cat "$out" > "$1"
  rm -f "$out"
}

# copy_init FILE: start from the image's own init FILE. Its copy is sourced by this very bash, so that it keeps these
# functions, its own `set -e`, and process id 1.
copy_init() {
  [ -r "$1" ] || fail "$1 is not in this image"
  cp "$1" "$KOLAB_INIT"
}

# Several inits trace themselves, and so write passwords from their command lines into the log.
quiet() { replace "$KOLAB_INIT" 1 'set -x' 'set +x'; }

# on_renewal FOLDER COMMAND...: do COMMAND whenever the certificate mounted at FOLDER has changed, since daemons read
# theirs only at start. The kubelet renews a mounted Secret within about a minute after cert-manager has renewed it. The
# loop begins before the init: what is renewed while a daemon starts is not missed either. A COMMAND that fails is tried
# again, as it must be until there is a daemon to tell.
on_renewal() {
  local folder=$1 seen now
  shift
  seen=$(cat "$folder/tls.crt" "$folder/tls.key" | sha256sum)
  (
    while sleep 30; do
      now=$(cat "$folder/tls.crt" "$folder/tls.key" | sha256sum)
      [ "$now" != "$seen" ] || continue
      if "$@"; then seen=$now; else echo "entry: the renewed certificate is not in use yet" >&2; fi
    done
  ) &
}

# What the stack file decides about this container: lines of NAME='value', each name begins with KOLAB_.
[ ! -e /kolab/entry/settings ] || source /kolab/entry/settings
