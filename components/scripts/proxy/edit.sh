# shellcheck shell=bash disable=SC2034 # other files read what this one sets
# What this stack wants otherwise than the image has it.
KOLAB_PROTOCOLS='TLSv1.2 TLSv1.3'
# The cipher list that satisfies both Mozilla's intermediate profile and internet.nl: ECDHE with AEAD only.
KOLAB_CIPHERS=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256
KOLAB_CIPHERS+=:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
KOLAB_CIPHERS+=:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
# `auto` means one for each CPU of the node.
KOLAB_WORKERS=4
# A mail session takes two, and workers do not share evenly (model/budget.py).
KOLAB_CONNECTIONS=8192

edit_configuration() {
  local block server
  only 0 worker_processes "$KOLAB_WORKERS"
  only 0 worker_rlimit_nofile $((KOLAB_CONNECTIONS + 1024))
  found 0 events
  [ ${#FOUND[@]} != 0 ] || fail "nginx' configuration has no block events"
  for block in "${FOUND[@]}"; do only "$block" worker_connections "$KOLAB_CONNECTIONS"; done
  # stop.sh waits until it is gone.
  only 0 pid /run/nginx.pid
  found 0 http
  for block in "${FOUND[@]}"; do
    # shellcheck disable=SC2086 # two words
    only "$block" ssl_protocols $KOLAB_PROTOCOLS
  done
  found 0 mail
  for block in "${FOUND[@]}"; do
    # shellcheck disable=SC2086 # two words
    only "$block" ssl_protocols $KOLAB_PROTOCOLS
    only "$block" ssl_ciphers "$KOLAB_CIPHERS"
    only "$block" starttls off
    # Postfix asks for the password that nginx was told, and lets nobody speak for another client.
    only "$block" proxy_smtp_auth on
    only "$block" xclient off
    found "$block" server
    for server in "${FOUND[@]}"; do
      # STARTTLS is offered by default, and so is LOGIN without it: passwords in the clear.
      plain_listeners "$server"
      [ ${#PLAIN[@]} = 0 ] || MORE[server]+=$'starttls only;\n'
    done
  done
  found_below 0 server
  for server in "${FOUND[@]}"; do only_ipv4 "$server"; done
  extra_directives
}

# Directives of an operator's own stand in the image's server where it includes what is ours; what the image says there by
# the same name goes, since nginx takes most of them once. Headers and closed networks may be many.
extra_directives() {
  local name server servers
  [ -n "${KOLAB_EXTRA-}" ] || return 0
  found_below 0 server
  servers=("${FOUND[@]}")
  for name in $KOLAB_EXTRA; do
    case $name in add_header | deny) continue ;; esac
    for server in "${servers[@]}"; do
      found "$server" "$name"
      while [ ${#FOUND[@]} -gt 1 ]; do GONE[FOUND[0]]=1; FOUND=("${FOUND[@]:1}"); done
    done
  done
}

# plain_listeners SERVER: PLAIN are those of its listeners that do not begin with TLS
plain_listeners() {
  local each
  PLAIN=()
  found "$1" listen
  for each in "${FOUND[@]}"; do
    words "$each"
    case " ${ARGS[*]:1} " in *' ssl '*) ;; *) PLAIN+=("$each") ;; esac
  done
}

# The proxy never has an IPv6 address, and such a listener stops nginx on nodes without IPv6.
only_ipv4() {
  local each listens word more ports=' '
  found "$1" listen
  listens=("${FOUND[@]}")
  for each in "${listens[@]}"; do
    words "$each"
    case ${ARGS[0]} in '['*) ;; *) ports+="${ARGS[0]##*:} " ;; esac
  done
  for each in "${listens[@]}"; do
    words "$each"
    case ${ARGS[0]} in '['*) ;; *) continue ;; esac
    GONE[each]=1
    case $ports in *" ${ARGS[0]##*]:} "*) continue ;; esac
    more="listen ${ARGS[0]##*]:}"
    for word in "${ARGS[@]:1}"; do case $word in ipv6only=*) ;; *) more+=" $word" ;; esac; done
    MORE[$1]+="$more;"$'\n'
  done
}
