# shellcheck shell=bash
# Sourced by start.sh: master.cf by what its services are, whatever they are called and wherever they listen.

# at PORT: the services that listen there, at any address: those for everybody first, those of this pod alone last
at() {
  postconf -M 2> /dev/null | awk -v port="$1" '$2 == "inet" && ($1 == port || $1 ~ ":" port "$") {
    print ($1 == port ? 0 : $1 ~ /^(127\.|localhost:|\[::1\])/ ? 2 : 1), $1 }' | sort -s -n -k 1,1 | cut -d ' ' -f 2
}

# only SERVICE "OTHER...": SERVICE alone listens there, as the first of these does
only() {
  local first
  first=$(head -n 1 <<< "$2")
  [ "$first" = "$1" ] || postconf -MX "$1/inet" 2> /dev/null || true
  [ "$first" = "$1" ] || postconf -F "$first/inet/service=$1"
}

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

# told SERVICE NAME: what smtpd at SERVICE makes of parameter NAME in the end. `inside SERVICE NAME`: what one without a port
# does. `of_all NAME`: what all of Postfix does
told() { echo "${FACTS[$1/inet/$2]-${FACTS[$2]-}}"; }
inside() { echo "${FACTS[$1/unix/$2]-${FACTS[$2]-}}"; }
of_all() { echo "${FACTS[$1]-}"; }

# say NAME=VALUE...: for all of Postfix, also where a service says otherwise
say() {
  local name each own=()
  for name in "${!FACTS[@]}"; do
    for each in "$@"; do [[ $name != */"${each%%=*}" ]] || own+=("$name=${each#*=}"); done
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

# filters: the ways to Amavis of what comes in, and of what is submitted
filters() {
  local service filter
  for service in $INBOUND $SUBMISSION; do filter=$(told "$service" content_filter); echo "${filter%%:*}"; done | sort -u
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

# The world and the proxy reach these at the pod's address; two services would be two answers.
only 10025 "$INBOUND"
only 10587 "$SUBMISSION"
# Whoever reaches this port may relay: nobody outside of the pod does.
only 127.0.0.1:13025 "$BACK"
INBOUND=10025 SUBMISSION=10587 BACK=127.0.0.1:13025
# Broken upstream (11465), unused (11587), or not known here: the proxy is the one way to submit from outside.
for service in $(postconf -M | awk '$2 == "inet" { print $1 }'); do
  case " $INBOUND $SUBMISSION $BACK " in
  *" $service "*) ;;
  *)
    postconf -MX "$service/inet"
    case $service in *11465 | *11587) ;; *) echo "entry: this image also listens at $service: that is closed" >&2 ;; esac
    ;;
  esac
done
look
