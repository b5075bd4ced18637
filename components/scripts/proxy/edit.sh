# shellcheck shell=bash disable=SC2034 # other files read what this one sets
# What this stack wants otherwise than the image has it.
KOLAB_PROTOCOLS='TLSv1.2 TLSv1.3'
# The cipher list that satisfies both Mozilla's intermediate profile and internet.nl: ECDHE with AEAD only.
KOLAB_CIPHERS=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256
KOLAB_CIPHERS+=:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
KOLAB_CIPHERS+=:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
# entry.sh watches this folder, so a certificate from anywhere else would be an old one some day.
KOLAB_CERTIFICATE=/kolab/certificate
# `auto` means one for each CPU of the node.
KOLAB_WORKERS=4
# A mail session takes two, and workers do not share evenly (model/budget.py).
KOLAB_CONNECTIONS=8192

# Ports of clients (model/topology/daemons.py).
KOLAB_PORTS=' 6080 6443 6143 6465 6587 6993 '
# What nginx takes several of in a block.
KOLAB_MANY=' add_header allow deny error_page limit_conn limit_conn_zone limit_req limit_req_zone proxy_cache_path proxy_hide_header'
KOLAB_MANY+=' proxy_set_header return rewrite set set_real_ip_from '

edit_configuration() {
  local block server name
  # It is said once, on the command line or in a file.
  case $KOLAB_SAID in *daemon*) not_by_image 0 daemon ;; *) only 0 daemon off ;; esac
  only 0 worker_processes "$KOLAB_WORKERS"
  only 0 worker_rlimit_nofile $((KOLAB_CONNECTIONS + 1024))
  found 0 events
  [ ${#FOUND[@]} != 0 ] || fail "nginx' configuration has no block events"
  for block in "${FOUND[@]}"; do only "$block" worker_connections "$KOLAB_CONNECTIONS"; done
  # stop.sh waits until it is gone.
  only 0 pid /run/nginx.pid
  # Whom this stack believes about a client's address, what proves its own name, what it gives away, and that clients need no
  # certificate.
  for name in set_real_ip_from real_ip_header real_ip_recursive ssl_certificate ssl_certificate_key server_tokens absolute_redirect ssl_verify_client; do
    not_by_image 0 "$name"
  done
  found 0 http
  for block in "${FOUND[@]}"; do
    # shellcheck disable=SC2086 # two words
    only "$block" ssl_protocols $KOLAB_PROTOCOLS
    with_certificate "$block"
  done
  found 0 mail
  for block in "${FOUND[@]}"; do
    # shellcheck disable=SC2086 # two words
    only "$block" ssl_protocols $KOLAB_PROTOCOLS
    with_certificate "$block"
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
  for server in "${FOUND[@]}"; do edit_listeners "$server"; done
  our_word_counts
  our_size_counts
}

with_certificate() { MORE[$1]+="ssl_certificate $KOLAB_CERTIFICATE/tls.crt;"$'\n'"ssl_certificate_key $KOLAB_CERTIFICATE/tls.key;"$'\n'; }

# Where this stack says something, what the image says there by the same name goes, since nginx takes most once; and so does
# what this stack says before an operator's own directive.
our_word_counts() {
  local each name before
  local -A said=()
  for each in "${!WORDS[@]}"; do
    name=${WORDS[each]%%"$MARK"*}
    [[ -n ${OURS[each]-} && ${ENDS[each]} = ';' && $KOLAB_MANY != *" $name "* ]] || continue
    name+=" ${IN[each]}"
    before=${said[$name]-}
    [ -z "$before" ] || GONE[before]=1
    said[$name]=$each
  done
  for each in "${!WORDS[@]}"; do
    [ -n "${OURS[each]-}" ] || [ -z "${said[${WORDS[each]%%"$MARK"*} ${IN[each]}]-}" ] || GONE[each]=1
  done
}

# A message with its attachments passes by every way. What the application itself takes is its own matter.
our_size_counts() {
  local each passes ours
  found_below 0 client_max_body_size
  for each in "${FOUND[@]}"; do [ -z "${OURS[each]-}" ] || [ "${WORDS[IN[each]]%%"$MARK"*}" != http ] || ours=$each; done
  [ -n "${ours-}" ] || return 0
  words "$ours"
  ours=$(bytes "${ARGS[0]}")
  for each in "${FOUND[@]}"; do
    [ -z "${OURS[each]-}" ] || continue
    words "$each"
    [[ $(bytes "${ARGS[0]}") -lt $ours && ${ARGS[0]} != 0 ]] || continue
    found "${IN[each]}" proxy_pass
    passes=${WORDS[FOUND[0]-0]}
    case $passes in *"$MARK$WEBAPP_BACKEND"*) ;; *) GONE[each]=1 ;; esac
  done
}

# bytes SIZE: as nginx reads it (ngx_parse_size, ngx_parse_offset)
bytes() {
  case $1 in
    *[kK]) echo $((${1%?} * 1024)) ;;
    *[mM]) echo $((${1%?} * 1024 ** 2)) ;;
    *[gG]) echo $((${1%?} * 1024 ** 3)) ;;
    *) echo "$1" ;;
  esac
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

# The proxy never has an IPv6 address, and such a listener stops nginx on nodes without IPv6. Nobody says the PROXY protocol
# to it (docs/adr/0006), and who does not would be hung up on.
edit_listeners() {
  local each listens word address more ports=' '
  found "$1" listen
  listens=("${FOUND[@]}")
  for each in "${listens[@]}"; do
    words "$each"
    case ${ARGS[0]} in '['*) ;; *) ports+="${ARGS[0]##*:} " ;; esac
  done
  for each in "${listens[@]}"; do
    words "$each"
    address=${ARGS[0]}
    case $address in '[::1]'*) address=127.0.0.1${address#'[::1]'} ;; '['*) address=${address##*]:} ;; esac
    more="listen $address"
    for word in "${ARGS[@]:1}"; do
      case $word in
        ipv6only=*) ;;
        proxy_protocol) [[ $KOLAB_PORTS == *" ${address##*:} "* ]] || more+=" $word" ;;
        *) more+=" $word" ;;
      esac
    done
    [ "$more" != "listen ${ARGS[*]}" ] || continue
    GONE[each]=1
    [[ $address != "${ARGS[0]}" && $ports == *" ${address##*:} "* ]] || MORE[$1]+="$more;"$'\n'
  done
}
