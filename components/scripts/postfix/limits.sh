# shellcheck shell=bash
# Sourced by start.sh: how much strangers and a slow web application may take of this pod (model/budget.py).
limits=() times=()
for service in $INBOUND; do limits+=("$service/inet/process_limit=$KOLAB_SMTPD"); done
for service in $SUBMISSION; do limits+=("$service/inet/process_limit=$KOLAB_SUBMISSIONS"); done
# As many sessions with Amavis as it has processes, but for one, which greets probes.
for filter in $(filters); do
  # One that is not in master.cf is refused by checks.sh.
  [ -z "$(postconf -M "$filter/unix" 2> /dev/null)" ] || limits+=("$filter/unix/process_limit=$KOLAB_FILTERED")
done
# Not for submission: there the proxy and the webmail each come for everybody.
for_each "$INBOUND" "smtpd_client_connection_count_limit=$KOLAB_SMTPD_PER_CLIENT"
# Each question to the web application is a process. One that gets no answer would stay for a quarter of an hour.
policies=$(postconf -M | awk '$8 == "spawn" { print $1 }')
[ -n "$policies" ] || fail 'no policy service is in master.cf: this image differs from the one this stack was made for'
for policy in $policies; do
  limits+=("$policy/unix/process_limit=$KOLAB_POLICIES")
  times+=("${policy}_time_limit = ${KOLAB_POLICY_SECONDS}s")
done
postconf -F "${limits[@]}"
postconf -e "${times[@]}"
