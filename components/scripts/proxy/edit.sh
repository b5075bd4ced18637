# shellcheck shell=bash disable=SC2034 # other files read what this one sets
# What this stack wants otherwise than the image has it.
KOLAB_PROTOCOLS='TLSv1.2 TLSv1.3'
# The cipher list that satisfies both Mozilla's intermediate profile and internet.nl: ECDHE with AEAD only.
KOLAB_CIPHERS=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256
KOLAB_CIPHERS+=:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
KOLAB_CIPHERS+=:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
# `auto` means one for each CPU of the node.
KOLAB_WORKERS=4

edit_configuration() {
  local block server
  only 0 worker_processes "$KOLAB_WORKERS"
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
    found "$block" server
    for server in "${FOUND[@]}"; do
      # STARTTLS is offered by default, and so is LOGIN without it: passwords in the clear.
      plain_listeners "$server"
      [ ${#PLAIN[@]} = 0 ] || MORE[server]+=$'starttls only;\n'
    done
  done
  found_below 0 server
  for server in "${FOUND[@]}"; do only_ipv4 "$server"; done
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
