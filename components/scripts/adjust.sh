# shellcheck shell=bash
# Sourced by every entry.sh, which runs the image's own init with these functions. An adjustment that does not take stops
# the container with a sentence: never does a daemon run with half of them.
set -eu

fail() { echo "entry: $*" >&2; exit 70; }
warn() { echo "entry: warning: $*" >&2; }

# at_daemon SCRIPT COMMAND... [-- HARMLESS...]: what is adjusted is what the image has written, at the moment at which its
# init hands over to the daemon, whatever the lines before it look like. COMMAND are the names by which an init may start
# the daemon, alone or as a part of an `exec` or of a command that runs others; then SCRIPT is sourced, with that command line as "$@", and goes on in its
# place. Calls whose arguments match a pattern HARMLESS (a look at the configuration) are the init's own. An `exec` of
# anything else stops the container: a daemon that is not adjusted never runs. To be called last before the init.
at_daemon() {
  local command
  KOLAB_START=$1 KOLAB_DAEMONS=() KOLAB_HARMLESS=() KOLAB_RUNNERS=(env timeout nice nohup setsid setpriv runuser su stdbuf tini gosu)
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do KOLAB_DAEMONS+=("$1"); shift; done
  [ $# = 0 ] || { shift; KOLAB_HARMLESS=("$@"); }
  # A function's name may be a path. What is evaluated are names from entry.sh.
  for command in exec "${KOLAB_DAEMONS[@]}"; do
    eval "$command() { kolab_handed_over $(printf %q "$command") \"\$@\"; }"
  done
  for command in "${KOLAB_RUNNERS[@]}"; do eval "$command() { kolab_run_by $command \"\$@\"; }"; done
}

# kolab_daemon WORD...: how many words there are up to the daemon's name; fails where it is not among them
kolab_daemon() {
  local word command count=0
  for word in "$@"; do
    count=$((count + 1))
    for command in "${KOLAB_DAEMONS[@]}"; do [ "$word" != "$command" ] || { echo $count; return; }; done
  done
  return 1
}

# kolab_run_by RUNNER WORD...: a command by which another one is run
kolab_run_by() {
  if kolab_daemon "${@:2}" > /dev/null; then kolab_handed_over "$@"; else command "$@"; fi
}

kolab_handed_over() {
  local IFS=' ' by=$1 count pattern
  [ "$by" != exec ] || shift
  [ $# -gt 0 ] || kolab_refuse "the image's init redirects itself"
  count=$(kolab_daemon "$@") || kolab_refuse "the image's init hands over to '$*', not to ${KOLAB_DAEMONS[*]}"
  for pattern in "${KOLAB_HARMLESS[@]}"; do
    # An alternative of patterns is one.
    # shellcheck disable=SC2053 # a pattern is meant
    [ "$by" = exec ] || [[ ${*:count+1} != $pattern ]] || { command "$@"; return; }
  done
  # Neither signals nor the daemon's end would reach the container.
  [ "$BASHPID" = $$ ] || kolab_refuse "the image's init starts '$*' beside itself"
  KOLAB_LINE=("$@")
  # Not from here: in a line such as `exec daemon || exit 1` bash overlooks whatever fails, `set -e` or not.
  trap kolab_started EXIT
  exit 0
}

# kolab_own: options and functions as they were before the image's init, which may have some of the same names. But for
# those that lead here: what is run from now on is meant.
kolab_own() {
  local name
  IFS=$' \t\n'
  builtin trap - EXIT ERR DEBUG RETURN
  builtin eval "$KOLAB_SHELL"
  set -e +u
  for name in $(compgen -A function); do builtin unset -f "$name"; done
  eval "$KOLAB_FUNCTIONS"
  unset -f exec "${KOLAB_DAEMONS[@]}" "${KOLAB_RUNNERS[@]}"
}

kolab_refuse() { kolab_own; fail "$1: it differs from the one this stack was made for"; }

kolab_started() {
  kolab_own
  source "$KOLAB_START" "${KOLAB_LINE[@]}"
  fail "$KOLAB_START did not start ${KOLAB_DAEMONS[0]}"
}

# kolab_left: an init that ends by itself has started nothing, and no rehearsal has looked at anything
kolab_left() {
  local status=$?
  [ $status != 0 ] || kolab_refuse "$KOLAB_INIT ended without its daemon"
  # What we refused has its sentence.
  [ $status = 70 ] || echo "entry: $KOLAB_INIT ended with $status before its daemon: its own words stand above" >&2
  exit $status
}

# run_init FILE [ARGUMENT...]: the image's own init, in this very bash (process id 1), without a trace: several inits trace
# themselves, and so write passwords from their command lines into the log. It ends in at_daemon's script.
run_init() {
  [ -r "$1" ] || fail "$1 is not in this image"
  builtin exec {BASH_XTRACEFD}> /dev/null
  KOLAB_INIT=$1 KOLAB_SHELL=$(set +o; shopt -p) KOLAB_FUNCTIONS=$(declare -f)
  trap kolab_left EXIT
  set +eu
  source "$@"
  exit 0
}

# rehearsed: the end of a rehearsal (components/rehearsal.py), in which everything is adjusted and looked at and nothing runs.
rehearsed() { [ "${KOLAB_TASK-}" != rehearse ] || { echo 'entry: rehearsed: this image can run here'; exit 0; }; }

# unfilled FILE: the first place that the image's init has left to be filled in, were it there: a word in capitals that
# stands for itself (FILE=..., say, is somebody's variable), in no comment
unfilled() {
  { grep -Esv '^[[:space:]]*#' "$1" || true; } | { grep -Eo '(^|[^A-Za-z0-9_$])[A-Z]+(_[A-Z]+)+([^A-Za-z0-9_=]|$)' || true; } \
    | grep -Eom 1 '[A-Z]+(_[A-Z]+)+' || true
}

# asks_passwords: in a rehearsal, that the image's init has started who asks the web application for passwords, and told it
# whom to ask. Where people are served, probes ask it.
asks_passwords() {
  local tries=50 left asked words
  [ "${KOLAB_TASK-}" = rehearse ] || return 0
  left=$(unfilled /etc/saslauthd.conf)
  [ -z "$left" ] || fail "the image left '$left' in /etc/saslauthd.conf, and nobody could log in: it differs from the one this stack was made for"
  until [ -S /run/saslauthd/mux ]; do
    [ $((tries -= 1)) -gt 0 ] || fail "no saslauthd listens at /run/saslauthd/mux, and nobody could log in: the image differs from the one this stack was made for"
    sleep 0.2
  done
  for asked in /proc/[0-9]*/cmdline; do
    { words=" $(tr '\0' ' ' < "$asked") "; } 2> /dev/null || continue
    [[ $words != */saslauthd\ *' /run/saslauthd '* || $words == *' httpform '* ]] \
      || fail "passwords are asked of others than the web application (${words# }): the image differs from the one this stack was made for"
  done
}

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
  # Not one of those that an init waits for.
  disown
}

# What the stack file decides about this container: lines of NAME='value', each name begins with KOLAB_.
[ ! -e /kolab/entry/settings ] || source /kolab/entry/settings
