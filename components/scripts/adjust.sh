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
  KOLAB_START=$1 KOLAB_DAEMONS=() KOLAB_HARMLESS=() KOLAB_RUNNERS=(env nice nohup setsid setpriv runuser su stdbuf tini gosu)
  shift
  while [ $# -gt 0 ] && [ "$1" != -- ]; do KOLAB_DAEMONS+=("$1"); shift; done
  [ $# = 0 ] || { shift; KOLAB_HARMLESS=("$@"); }
  # A function's name may be a path. What is evaluated are names from entry.sh.
  for command in exec "${KOLAB_DAEMONS[@]}"; do
    eval "$command() { handed_over $(printf %q "$command") \"\$@\"; }"
  done
  for command in "${KOLAB_RUNNERS[@]}"; do eval "$command() { run_by $command \"\$@\"; }"; done
}

# run_by RUNNER WORD...: a command by which another one is run
run_by() {
  local word command
  for word in "${@:2}"; do
    for command in "${KOLAB_DAEMONS[@]}"; do [ "$word" != "$command" ] || exec "$@"; done
  done
  command "$@"
}

handed_over() {
  local by=$1 word command pattern
  [ "$by" != exec ] || shift
  [ $# -gt 0 ] || fail "the image's init redirects itself: it differs from the one this stack was made for"
  for pattern in "${KOLAB_HARMLESS[@]}"; do
    # shellcheck disable=SC2254 # a pattern is meant
    [ "$by" = exec ] || case "${*:2}" in $pattern) command "$@"; return ;; esac
  done
  for word in "$@"; do
    for command in "${KOLAB_DAEMONS[@]}"; do
      [ "$word" = "$command" ] || continue
      unset -f exec "${KOLAB_DAEMONS[@]}" "${KOLAB_RUNNERS[@]}"
      KOLAB_LINE=("$@")
      # Not from here: in a line such as `exec daemon || exit 1` bash overlooks whatever fails, `set -e` or not.
      trap started EXIT
      exit 0
    done
  done
  fail "the image's init hands over to '$*', not to ${KOLAB_DAEMONS[*]}: it differs from the one this stack was made for"
}

started() {
  trap - EXIT
  set -e
  source "$KOLAB_START" "${KOLAB_LINE[@]}"
  fail "$KOLAB_START did not start ${KOLAB_DAEMONS[0]}"
}

# run_init FILE [ARGUMENT...]: the image's own init, in this very bash (process id 1), without a trace: several inits trace
# themselves, and so write passwords from their command lines into the log. It ends in at_daemon's script.
run_init() {
  [ -r "$1" ] || fail "$1 is not in this image"
  builtin exec {BASH_XTRACEFD}> /dev/null
  set +eu
  source "$@"
  fail "$1 ended without its daemon: the image differs from the one this stack was made for"
}

# rehearsed: the end of a rehearsal (components/rehearsal.py), in which everything is adjusted and looked at and nothing runs.
rehearsed() { [ "${KOLAB_TASK-}" != rehearse ] || { echo 'entry: rehearsed: this image can run here'; exit 0; }; }

# asks_passwords: in a rehearsal, that the image's init has started who asks the web application for passwords, and told it
# whom to ask. Where people are served, probes ask it.
asks_passwords() {
  local tries=50 left
  [ "${KOLAB_TASK-}" = rehearse ] || return 0
  left=$(grep -Eso '[A-Z]+_[A-Z_]+' /etc/saslauthd.conf | head -n 1 || true)
  [ -z "$left" ] || fail "the image left '$left' in /etc/saslauthd.conf, and nobody could log in: it differs from the one this stack was made for"
  until [ -S /run/saslauthd/mux ]; do
    [ $((tries -= 1)) -gt 0 ] || fail "no saslauthd listens at /run/saslauthd/mux, and nobody could log in: the image differs from the one this stack was made for"
    sleep 0.2
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
}

# What the stack file decides about this container: lines of NAME='value', each name begins with KOLAB_.
[ ! -e /kolab/entry/settings ] || source /kolab/entry/settings
