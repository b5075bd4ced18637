# shellcheck shell=bash
# What must hold of nginx' locations: who answers which path, and that what is asked arrives whole.

# Half of a stack's parts may be switched off, and their paths with them.
judge_locations() {
  local http server servers each
  found 0 http
  for http in "${FOUND[@]}"; do
    found "$http" server
    servers=("${FOUND[@]}")
    for server in "${servers[@]}"; do
      found "$server" listen
      for each in "${FOUND[@]}"; do
        words "$each"
        ! reached "${ARGS[0]}" || case ${ARGS[0]##*:} in 6080 | 6443) judge_paths "$server"; break ;; esac
      done
    done
  done
}

judge_paths() {
  local path
  location_of "$1" /health
  VALUE=''
  [ -z "$LOCATION" ] || value "$LOCATION" return
  case $VALUE in 200*) ;; *) fail 'the image does not answer /health, by which the cluster knows that the proxy works' ;; esac
  for path in / /login /api/v4/user /oauth/authorize; do answered fail "$1" "$path" "$WEBAPP_BACKEND"; done
  for path in "$WEBMAIL_PATH/" /chwala/api/ /Microsoft-Server-ActiveSync; do answered fail "$1" "$path" "$ROUNDCUBE_BACKEND"; done
  for path in /dav/calendars/user/jane@example.org/a/b.ics /dav/principals/ /.well-known/caldav /.well-known/carddav; do
    answered fail "$1" "$path" "$DAV_BACKEND"
  done
  answered fail "$1" /freebusy/user/jane@example.org "$FREEBUSY_BACKEND"
  for path in /browser/0/cool.html /hosting/discovery /hosting/capabilities /cool/a/ws /lool/a; do
    answered warn "$1" "$path" "$COLLABORA_BACKEND"
  done
  for path in /meetmedia/signaling /meetmedia/api/ping; do answered warn "$1" "$path" "$MEET_BACKEND"; done
  # Who may ask them from outside could try passwords.
  found_below "$1" proxy_pass
  local each passes=("${FOUND[@]}")
  for each in "${passes[@]}"; do
    case ${WORDS[each]} in *"$MARK$WEBAPP_BACKEND"* | *"$MARK$ROUNDCUBE_BACKEND"*) judge_address "${IN[each]}" ;; esac
    case ${WORDS[each]} in *"$MARK$WEBAPP_BACKEND"/api/webhooks/*) ;; *) continue ;; esac
    found "${IN[each]}" internal
    [ ${#FOUND[@]} != 0 ] || fail "a location of the image passes strangers on to the hook ${TEXT[each]#proxy_pass }"
  done
}

# judge_address LOCATION: who stands behind it hears the client's true address. What is not written anew is the client's word.
judge_address() {
  headers "$1"
  VALUE=${SENT[x-real-ip]-}
  [ "$VALUE" = '$remote_addr' ] || fail "the image would tell whoever answers ${TEXT[$1]} '$VALUE' as the address of a client: anybody could claim another"
}

# answered OTHERWISE SERVER PATH BACKEND: a request for PATH reaches BACKEND as it was made, or OTHERWISE says why not
answered() {
  local pass target passes
  location_of "$2" "$3"
  [ -n "$LOCATION" ] || { "$1" "no location of the image answers $3"; return 0; }
  found_below "$LOCATION" proxy_pass
  passes=("${FOUND[@]}")
  [[ ${#passes[@]} = 1 && ${IN[passes[0]]} = "$LOCATION" ]] || { "$1" "the image passes $3 on to nobody, or to several"; return 0; }
  words "${passes[0]}"
  pass=${ARGS[0]}
  targets_of "$pass"
  for target in "${TARGETS[@]}"; do
    # A literal path replaces the part of the request's that the location names; where that is the same, nothing changes.
    case $pass in *'$'*) target=${target%'$request_uri'} ;; *) [ -z "$PREFIX" ] || [ "$target" != "$4$PREFIX" ] || target=$4 ;; esac
    [ "$target" = "$4" ] || { "$1" "the image passes $3 on to ${target:-nobody} instead of to $4 as it was asked"; return 0; }
  done
  case $4 in
    "$WEBAPP_BACKEND" | "$ROUNDCUBE_BACKEND")
      headers "$LOCATION"
      case ${SENT[host]-} in
        '$host' | '$http_host') ;;
        *) "$1" "the image passes $3 on to '${SENT[host]-}' and not to the host that was asked"; return 0 ;;
      esac
      ;;
  esac
  arrives "$1" "$2" "$LOCATION" "$3" "$4"
}

# targets_of PASS: TARGETS are all that the argument of a proxy_pass may become
targets_of() {
  local each map maps default name=${1%'$request_uri'} rest=''
  TARGETS=("$1")
  [ "$name" = "$1" ] || rest='$request_uri'
  case $name in '$'*) ;; *) return 0 ;; esac
  name=${name#'$'} name=${name#'{'} name=${name%'}'}
  found_below 0 map
  maps=("${FOUND[@]}")
  for map in "${maps[@]}"; do
    words "$map"
    [ "${ARGS[1]}" = "\$$name" ] || continue
    TARGETS=() default=''
    for each in "${!WORDS[@]}"; do
      [[ ${IN[each]} = "$map" && $each != 0 ]] || continue
      words "$each"
      # `hostnames` and `volatile` stand alone.
      [ ${#ARGS[@]} = 0 ] || TARGETS+=("${ARGS[0]}$rest")
      [ "${WORDS[each]%%"$MARK"*}" != default ] || default=1
    done
    # What is not said is empty (ngx_http_map_module).
    [ -n "$default" ] || TARGETS+=("$rest")
    return 0
  done
}

# location_of SERVER PATH: LOCATION is the one that nginx chooses (ngx_http_core_module, location), PREFIX the path that it
# names if that is no expression
location_of() {
  local each last=0 expressions=() matches
  LOCATION='' PREFIX=''
  found "$1" location
  for each in "${FOUND[@]}"; do
    words "$each"
    [ ${#ARGS[@]} = 2 ] || ARGS=('' "${ARGS[0]}")
    case ${ARGS[0]} in
      =) [ "$2" != "${ARGS[1]}" ] || { LOCATION=$each PREFIX=$2; return 0; } ;;
      '~' | '~*') expressions+=("$each") ;;
      *)
        case $2 in "${ARGS[1]}"*) ;; *) continue ;; esac
        [ ${#ARGS[1]} -ge ${#PREFIX} ] || continue
        LOCATION=$each PREFIX=${ARGS[1]} last=0
        [ "${ARGS[0]}" != '^~' ] || last=1
        ;;
    esac
  done
  [ $last = 0 ] || return 0
  for each in "${expressions[@]}"; do
    words "$each"
    [ "${ARGS[0]}" = '~' ] || shopt -s nocasematch
    # shellcheck disable=SC2319 # 2 is an expression that bash does not understand
    { [[ $2 =~ ${ARGS[1]} ]]; matches=$?; } || :
    shopt -u nocasematch
    [ $matches != 2 ] || fail "the image has a location that cannot be judged: ${ARGS[1]}"
    [ $matches != 0 ] || { LOCATION=$each PREFIX=''; return 0; }
  done
}
