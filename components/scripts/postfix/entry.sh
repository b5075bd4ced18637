#!/bin/bash
# Postfix: the image's init runs start.sh in place of Postfix.
source /kolab/entry/adjust.sh
copy_init /init.sh
replace "$KOLAB_INIT" 1 'mkdir /var/log/kolab' 'mkdir -p /var/log/kolab'
replace "$KOLAB_INIT" 1 'exec /usr/sbin/postfix -c /etc/postfix start-fg' 'source /kolab/entry/start.sh'

renewed() {
  local pem=/etc/pki/tls/private/postfix.pem certificate=/kolab/certificate
  (umask 077; cat "$certificate/tls.crt" "$certificate/tls.key" > "$pem.new") && mv "$pem.new" "$pem" && postfix reload
}
on_renewal /kolab/certificate renewed

set +eu
source "$KOLAB_INIT"
