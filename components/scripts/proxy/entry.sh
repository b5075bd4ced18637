#!/bin/bash
# The proxy: the image writes all of nginx' configuration at each start, and most of it has no include.
source /kolab/entry/adjust.sh
# nginx asks for the pods that answer challenges whenever it is asked itself: they come and go. It knows neither the name
# servers of its pod nor the domain of the cluster.
if [ -n "${KOLAB_SOLVERS-}" ]; then
  KOLAB_SERVERS=$(sed -n 's/^nameserver[[:space:]]*//p' /etc/resolv.conf | sed 's/.*:.*/[&]/' | tr '\n' ' ')
  KOLAB_SEARCH=$(sed -n 's/^search[[:space:]]*\([^[:space:]]*\).*/\1/p' /etc/resolv.conf)
  [[ -n $KOLAB_SERVERS && -n $KOLAB_SEARCH ]] || fail "/etc/resolv.conf names no server, or no domain to search: nobody would find who answers challenges"
  printf 'resolver %svalid=1s ipv6=off;\nset $kolab_solvers %s.%s:%s;\n' \
    "$KOLAB_SERVERS" "${KOLAB_SOLVERS%:*}" "$KOLAB_SEARCH" "${KOLAB_SOLVERS#*:}" > /tmp/kolab-solvers.conf
fi
on_renewal /kolab/certificate nginx -s reload
at_daemon /kolab/entry/start.sh nginx /usr/sbin/nginx
source /kolab/entry/options.sh
nginx() { called nginx "$@"; }
/usr/sbin/nginx() { called /usr/sbin/nginx "$@"; }
run_init /init.sh
