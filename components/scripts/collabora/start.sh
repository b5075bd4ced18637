# shellcheck shell=bash
# Sourced with coolwsd's command line. Options win over its file (wsd/COOLWSD.cpp, --o), and hosts are a list in both: so the
# file names none, and the options name Chwala (wsd/HostUtil.cpp, parseWopiHost and parseAliases).
KOLAB_CONF=/etc/coolwsd/coolwsd.xml
for KOLAB_WORD in "$@"; do
  case $KOLAB_WORD in --config-file=*) KOLAB_CONF=${KOLAB_WORD#*=} ;; esac
done
[ -r "$KOLAB_CONF" ] || fail "$KOLAB_CONF is not in this image: it differs from the one this stack was made for"
KOLAB_TEXT=$(< "$KOLAB_CONF")

# without FROM TO: KOLAB_TEXT without all from each FROM to the next TO
without() {
  local rest
  while [[ $KOLAB_TEXT == *"$1"* ]]; do
    rest=${KOLAB_TEXT#*"$1"}
    [[ $rest == *"$2"* ]] || fail "$KOLAB_CONF has a $1 without its $2: the image differs from the one this stack was made for"
    KOLAB_TEXT=${KOLAB_TEXT%%"$1"*}${rest#*"$2"}
  done
}

# without_element NAME: KOLAB_TEXT without those elements and what is in them
without_element() {
  while [[ $KOLAB_TEXT =~ "<$1"[^\>]*'/>' ]]; do KOLAB_TEXT=${KOLAB_TEXT/"${BASH_REMATCH[0]}"/}; done
  without "<$1" "</$1>"
}

without '<!--' '-->'
[[ $KOLAB_TEXT == *'<wopi'*'</wopi>'* ]] || fail "$KOLAB_CONF has no element wopi: who may have documents opened stands elsewhere"
KOLAB_BEFORE=${KOLAB_TEXT%%'<wopi'*} KOLAB_AFTER=${KOLAB_TEXT#*'</wopi>'}
KOLAB_TEXT=${KOLAB_TEXT#"$KOLAB_BEFORE"}
KOLAB_TEXT=${KOLAB_TEXT%%'</wopi>'*}
without_element alias_groups
without_element host
# There, and empty: without it every host would be allowed.
KOLAB_TEXT+='<alias_groups mode="groups"></alias_groups></wopi>'
printf '%s\n' "$KOLAB_BEFORE$KOLAB_TEXT$KOLAB_AFTER" > "$KOLAB_CONF"

KOLAB_GROUP='storage.wopi.alias_groups.group[0].host'
set -- "$@" '--o:storage.filesystem[@allow]=false' '--o:storage.wopi[@allow]=true' \
  '--o:storage.wopi.alias_groups[@mode]=groups' "--o:$KOLAB_GROUP=$KOLAB_WOPI_HOST" "--o:${KOLAB_GROUP}[@allow]=true" \
  "--o:server_name=$SERVER_NAME" --o:ssl.enable=false --o:ssl.termination=true --o:admin_console.enable=false

rehearsed
exec "$@"
