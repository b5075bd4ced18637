# shellcheck shell=bash
# What stands between a location and its backend: nothing of the image's answers in the backend's place, turns clients away, or
# leaves out what they said. What this stack and its operator say there is theirs.

# arrives OTHERWISE SERVER LOCATION PATH BACKEND: what is asked there arrives whole, or OTHERWISE says what is in its way
arrives() {
  local asked hook=$WEBAPP_BACKEND/api/webhooks/nginx-httpauth
  hindered "$3"
  [ -z "$HINDERED" ] || { "$1" "the image says '$HINDERED' where it passes $4 on: what is asked would not arrive as it was asked"; return 0; }
  value "$3" auth_request
  [[ -n $VALUE && $VALUE != off && -z ${OURS[FOUND[-1]]-} ]] || return 0
  asked=$VALUE
  case $5 in "$WEBAPP_BACKEND" | "$ROUNDCUBE_BACKEND") "$1" "the image asks $asked about whoever asks for $4, where people log in"; return 0 ;; esac
  location_of "$2" "$asked"
  VALUE=''
  [ -z "$LOCATION" ] || value "$LOCATION" proxy_pass
  case $VALUE in "$hook"*) ;; *) "$1" "the image asks $asked about whoever asks for $4, and that is not the application's hook: anybody would be let in"; return 0 ;; esac
  hindered "$LOCATION" internal proxy_pass_request_body content-length
  [ -z "$HINDERED" ] || "$1" "the image says '$HINDERED' in $asked, which it asks about whoever asks for $4: the application would not be asked"
}

# hindered LOCATION [NAME...]: HINDERED is the first statement that is in the way in LOCATION, in a block in it, or around it,
# but for those of NAME; empty for none
hindered() {
  local each block direct name around=' '
  HINDERED=''
  for ((block = $1; block != 0; block = IN[block])); do around+="$block "; done
  for each in "${!WORDS[@]}"; do
    case ${WORDS[each]} in
      *"${MARK}off$MARK")
        case ${WORDS[each]} in proxy_pass_request_*) ;; *) continue ;; esac
        ;;
      return"$MARK"* | rewrite"$MARK"* | try_files"$MARK"* | internal"$MARK"* | limit_except"$MARK"* | deny"$MARK"* | auth_basic"$MARK"*) ;;
      proxy_intercept_errors"$MARK"* | proxy_set_body"$MARK"* | proxy_method"$MARK"*) ;;
      *) continue ;;
    esac
    name=${WORDS[each]%%"$MARK"*}
    [[ -z ${OURS[each]-}${GONE[each]-} && " ${*:2} " != *" $name "* ]] || continue
    block=${IN[each]} direct=1
    until [[ $block = 0 || $around = *" $block "* ]]; do
      # What stands in another location or server is not in the way.
      case ${WORDS[block]%%"$MARK"*} in if | limit_except) ;; *) direct='' ;; esac
      block=${IN[block]}
    done
    [[ $block != 0 && ($block = "$1" || -n $direct) ]] || continue
    HINDERED=${TEXT[each]}
    return
  done
  headers "$1"
  for name in authorization content-length content-type cookie depth destination if overwrite; do
    [[ -v SENT[$name] && " ${*:2} " != *" $name "* && ${SENT[$name]} != "\$http_${name//-/_}" ]] || continue
    HINDERED="proxy_set_header $name ${SENT[$name]:-\"\"}"
    return
  done
}

# headers LOCATION: SENT are the headers that are passed on otherwise than a client says them, by their names, of the nearest
# block that names any (ngx_http_proxy_module, proxy_set_header)
headers() {
  local block=$1 each
  declare -gA SENT=()
  while :; do
    found "$block" proxy_set_header
    [ ${#FOUND[@]} = 0 ] || break
    [ "$block" != 0 ] || return 0
    block=${IN[block]}
  done
  for each in "${FOUND[@]}"; do
    words "$each"
    SENT[${ARGS[0],,}]=${ARGS[1]}
  done
}
