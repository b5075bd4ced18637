# shellcheck shell=bash
# Sourced with amavisd's command line once the image's init has written its configuration: adds ours, which is read last,
# looks at what came of it, and starts amavisd.
words=() configs=() last=0 amavisd=
while [ $# -gt 0 ]; do
  case $1 in
  -c) configs+=(-c "${2-}") words+=(-c "${2-}") last=${#words[@]}; shift ;;
  *amavisd | *amavisd-new) amavisd=$1 words+=("$1") ;;
  *) words+=("$1") ;;
  esac
  shift
done
[ "$last" != 0 ] || fail "amavisd is started without -c: the image differs from the one this stack was made for"
[ "${words[-1]}" = foreground ] || fail "amavisd is started by '${words[*]}', which leaves the container without it: the image differs from the one this stack was made for"
if [ "$KOLAB_SIGNING" = true ]; then signs=signs.conf; else signs="signs-nothing.conf"; fi
ours=(-c "/kolab/entry/$signs" -c /kolab/entry/pod.conf -c /kolab/entry/verdicts.conf)
configs+=("${ours[@]}")

# Everything is read as amavisd does it; a sentence of pod.conf ends it.
looked=$("$amavisd" "${configs[@]}" showkeys 2>&1) || fail "amavisd does not take its configuration: $(tail -n 1 <<< "${looked#*kolab: }")"

source /kolab/entry/bayes.sh
source /kolab/entry/extra.sh
source /kolab/entry/quarantine.sh
rehearsed

# The image updates its rules once, at start. sa-update leaves 0 only when there was something new.
( while sleep 86400; do sa-update && "$amavisd" "${configs[@]}" reload; done ) &
keep_room &

exec "${words[@]:0:last}" "${ours[@]}" "${words[@]:last}"
