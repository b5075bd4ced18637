# shellcheck shell=bash
# Sourced with nginx' command line once the image has written its configuration: that is adjusted, judged as nginx itself
# reads it, and then nginx starts.
source /kolab/entry/statements.sh
source /kolab/entry/edit.sh
source /kolab/entry/listeners.sh
source /kolab/entry/locations.sh
source /kolab/entry/arrival.sh

# Before its name stands what runs it.
for ((KOLAB_WORD = 1; KOLAB_WORD < $#; KOLAB_WORD++)); do
  case ${!KOLAB_WORD} in nginx | */nginx) break ;; esac
done
told "${@:KOLAB_WORD+1}" || fail "the image's init ends with '$*', which serves nobody: it differs from the one this stack was made for"
if [[ $KOLAB_SAID == *daemon* && ! $KOLAB_SAID =~ daemon[[:space:]]+off ]]; then
  fail "nginx would go on in the background, by '$KOLAB_SAID', and the container would end: the image differs from the one this stack was made for"
fi
[ -r "$KOLAB_CONF" ] || fail "the image's init has written no $KOLAB_CONF: it differs from the one this stack was made for"

read_statements "$KOLAB_CONF" "${KOLAB_CONF%/*}"
edit_configuration
# The rest of the image's files stays as it is, and is read no more.
write_statements > /tmp/kolab-nginx.conf
cat /tmp/kolab-nginx.conf > "$KOLAB_CONF"

# Of a value that it cannot take nginx says the line's number and not the directive: an operator's own is shown.
refused() {
  local said line=
  said=$(grep -o '\[emerg\].*' /tmp/kolab-nginx.log || tail -n 1 /tmp/kolab-nginx.log)
  [[ ! $said =~ " in $KOLAB_CONF:"([0-9]+)$ ]] || line=$(sed -n "${BASH_REMATCH[1]}p" "$KOLAB_CONF")
  case " ${KOLAB_EXTRA-} " in
    *" ${line%%[ ;]*} "*) [ -z "$line" ] || fail "nginx does not take '${line%;}' of kolab:extra.website: $said" ;;
  esac
  fail "nginx refuses its configuration: $said"
}
"$@" -T > /tmp/kolab-nginx.conf 2> /tmp/kolab-nginx.log || refused
rm -f /run/nginx.pid # looking at a configuration leaves an empty one
read -r KOLAB_READ < /tmp/kolab-nginx.conf
[ "$KOLAB_READ" = "# configuration file $KOLAB_CONF:" ] || fail "nginx reads ${KOLAB_READ#\# configuration file } and not $KOLAB_CONF: the image differs from the one this stack was made for"
read_statements /tmp/kolab-nginx.conf "${KOLAB_CONF%/*}"
judge_listeners
judge_locations
# Whoever tells nginx something else later reads it there (a renewed certificate, stop.sh).
[ "$KOLAB_CONF" = /etc/nginx/nginx.conf ] || ln -sfn "$KOLAB_CONF" /etc/nginx/nginx.conf

rehearsed
exec "$@"
