# shellcheck shell=bash
# What must hold of nginx' listeners, whatever the image has written.
judge_listeners() {
  local block mail=' ' web=' '
  value 0 worker_processes
  [ "$VALUE" = "$KOLAB_WORKERS" ] || fail "nginx would have '$VALUE' worker processes instead of $KOLAB_WORKERS"
  found 0 events
  for block in "${FOUND[@]}"; do
    value "$block" worker_connections
    [ "$VALUE" = "$KOLAB_CONNECTIONS" ] || fail "nginx would take '$VALUE' connections for each worker instead of $KOLAB_CONNECTIONS"
  done
  found_below 0 listen
  for block in "${FOUND[@]}"; do
    words "$block"
    case ${ARGS[0]} in '['*) fail "nginx would listen on ${ARGS[0]}, and nodes may have no IPv6" ;; esac
  done
  found 0 mail
  for block in "${FOUND[@]}"; do judge_mail "$block"; done
  found 0 http
  for block in "${FOUND[@]}"; do judge_web "$block"; done
  # The ports that have Services (model/topology/daemons.py).
  for block in imap:6143:starttls imap:6993:ssl smtp:6587:starttls smtp:6465:ssl; do
    case $mail in *" $block "*) ;; *) fail "the image has no listener $block (protocol, port, TLS): it differs from the one this stack was made for" ;; esac
  done
  for block in 6080:plain 6443:ssl; do
    case $web in *" $block "*) ;; *) fail "the image does not listen on $block: it differs from the one this stack was made for" ;; esac
  done
}

# reached ADDRESS: clients come there, as they do to any address of the pod's
reached() {
  case $1 in '*':* | 0.0.0.0:*) ;; *[!0-9]*) return 1 ;; esac
}

# inside ADDRESS: nobody comes there from outside of the pod
inside() { case $1 in 127.* | localhost | localhost:* | unix:*) ;; *) return 1 ;; esac; }

judge_mail() {
  local servers server each protocol port kind
  found "$1" server
  servers=("${FOUND[@]}")
  for server in "${servers[@]}"; do
    value "$server" protocol
    protocol=$VALUE
    judge_tls "$server" "the $protocol listeners"
    value "$server" ssl_ciphers
    [ "$VALUE" = "$KOLAB_CIPHERS" ] || fail "nginx would offer the ciphers '$VALUE' to $protocol clients"
    value "$server" auth_http
    case $VALUE in "$WEBAPP_BACKEND"/api/webhooks/nginx*) ;; *) fail "nginx would ask '$VALUE' whether a $protocol client may log in, not the web application" ;; esac
    value "$server" proxy_protocol
    [ "$VALUE" != on ] || fail "nginx would begin with the PROXY protocol, which no backend of $protocol speaks here"
    found "$server" listen
    for each in "${FOUND[@]}"; do
      words "$each"
      port=${ARGS[0]##*:} kind=ssl
      case " ${ARGS[*]:1} " in
        *' ssl '*) ;;
        *)
          kind=starttls
          value "$server" starttls
          [ "$VALUE" = only ] || fail "port $port of the image takes passwords without TLS"
          ;;
      esac
      # Who says no PROXY protocol is hung up on.
      words "$each"
      case " ${ARGS[*]:1} " in *' proxy_protocol '*) continue ;; esac
      ! reached "${ARGS[0]}" || mail+="$protocol:$port:$kind "
    done
  done
}

judge_tls() {
  local word
  value "$1" ssl_protocols
  [ -n "$VALUE" ] || fail "nothing says which TLS versions $2 may use"
  for word in $VALUE; do
    case " $KOLAB_PROTOCOLS " in *" $word "*) ;; *) fail "$2 would speak $word" ;; esac
  done
}

judge_web() {
  local servers server each address kind
  found "$1" server
  servers=("${FOUND[@]}")
  for server in "${servers[@]}"; do
    found "$server" listen
    for each in "${FOUND[@]}"; do
      words "$each"
      address=${ARGS[0]}
      ! inside "$address" || continue
      kind=plain
      case " ${ARGS[*]:1} " in *' ssl '*) kind=ssl ;; esac
      case " ${ARGS[*]:1} " in *' proxy_protocol '*) ;; *) ! reached "$address" || web+="${address##*:}:$kind " ;; esac
      [ $kind = plain ] || judge_tls "$server" 'the web listeners'
      judge_edge "$server" "$address"
    done
  done
}

# judge_edge SERVER PORT: who asks SERVER passes the rules of /etc/nginx/default.d/kolab.conf
judge_edge() {
  local rule rules='$kolab_host' ifs each
  found_below "$1" proxy_pass
  for each in "${!FOUND[@]}"; do
    # Who answers challenges has nothing that a rule would close.
    case ${TEXT[FOUND[each]]} in 'proxy_pass http://$kolab_solvers') unset "FOUND[each]" ;; esac
  done
  [ ${#FOUND[@]} = 0 ] || rules='$kolab_host $kolab_door $kolab_closed $kolab_elsewhere $kolab_crooked'
  found "$1" if
  ifs=' '
  for each in "${FOUND[@]}"; do ifs+="${WORDS[each]//[$MARK()]/ } "; done
  for rule in $rules; do
    case $ifs in *" $rule "*) ;; *) fail "port $2 of the image answers without this stack's rules ($rule): what is closed would be open" ;; esac
  done
}
