# shellcheck shell=bash
# Sourced by start.sh: master.cf by what its services are, whatever they are called and wherever they listen.

# at PORT: the services that listen there, at any address
at() { postconf -M 2> /dev/null | awk -v port="$1" '$2 == "inet" && ($1 == port || $1 ~ ":" port "$") { print $1 }'; }

# look: what Postfix understands by now, with all values expanded, for `told` and `say`
declare -gA FACTS
look() {
  local line name
  FACTS=()
  while IFS= read -r line; do
    name=${line%% =*} line=${line#*=}
    FACTS[$name]=${line# }
  done < <(postconf -x 2> /dev/null; postconf -xP 2> /dev/null)
}

# told SERVICE NAME: what smtpd at SERVICE makes of parameter NAME in the end. `of_all NAME`: what all of Postfix does
told() { echo "${FACTS[$1/inet/$2]-${FACTS[$2]-}}"; }
of_all() { echo "${FACTS[$1]-}"; }

# say NAME=VALUE...: for all of Postfix, also where a service says otherwise
say() {
  local name each own=()
  for name in "${!FACTS[@]}"; do
    for each in "$@"; do [[ $name != */inet/"${each%%=*}" ]] || own+=("$name=${each#*=}"); done
  done
  postconf -e "$@"
  [ ${#own[@]} = 0 ] || postconf -P "${own[@]}"
}

# for_each "SERVICE..." NAME=VALUE...: for these services
for_each() {
  local service each services=$1 own=()
  shift
  for service in $services; do
    for each in "$@"; do own+=("$service/inet/$each"); done
  done
  postconf -P "${own[@]}"
}

# unread: the parameters of main.cf that nothing reads
unread() { postconf -n 2>&1 > /dev/null | sed -n 's/^[^=]*main\.cf: unused parameter: \([^= ]*\)=.*/\1/p' | sort -u; }

# tidy: without those that only our changes left unread. Postfix warns of them at each start and command.
tidy() {
  local name
  while IFS= read -r name; do [ -z "$name" ] || postconf -X "$name"; done < <(comm -13 <(echo "$UNREAD") <(unread))
}

UNREAD=$(unread)
INBOUND=$(at 10025) SUBMISSION=$(at 10587) BACK=$(at 13025)
[ -n "$INBOUND" ] || fail 'nothing of Postfix listens at port 10025, where mail from the world arrives: the image differs from the one this stack was made for'
[ -n "$SUBMISSION" ] || fail 'nothing of Postfix listens at port 10587, where our users submit: the image differs from the one this stack was made for'
[ -n "$BACK" ] || fail 'nothing of Postfix listens at port 13025, where Amavis hands mail back: the image differs from the one this stack was made for'
# postscreen, say, hands clients on to another service, which nobody would have adjusted.
while read -r service _ _ _ _ _ _ program _; do
  case " $(tr '\n' ' ' <<< "$INBOUND $SUBMISSION $BACK")" in *" $service "*) ;; *) continue ;; esac
  [ "$program" = smtpd ] || fail "Postfix would answer at $service with $program and not with smtpd: the image differs from the one this stack was made for"
done < <(postconf -M 2> /dev/null | awk '$2 == "inet"')

# Whoever reaches this port may relay: nobody outside of the pod does.
for service in $BACK; do
  [ "$service" = 127.0.0.1:13025 ] || postconf -MX "127.0.0.1:13025/inet" 2> /dev/null || true
  [ "$service" = 127.0.0.1:13025 ] || postconf -F "$service/inet/service=127.0.0.1:13025"
done
BACK=127.0.0.1:13025
# Broken upstream (11465), unused (11587), or not known here: the proxy is the one way to submit from outside.
for service in $(postconf -M | awk '$2 == "inet" { print $1 }'); do
  case " $(tr '\n' ' ' <<< "$INBOUND $SUBMISSION") $BACK " in
  *" $service "*) ;;
  *)
    postconf -MX "$service/inet"
    case $service in *11465 | *11587) ;; *) echo "entry: this image also listens at $service: that is closed" >&2 ;; esac
    ;;
  esac
done
look
