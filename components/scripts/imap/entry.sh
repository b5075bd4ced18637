#!/bin/bash
# Cyrus: the image's init runs start.sh in place of its master.
source /kolab/entry/adjust.sh
copy_init /init.sh
quiet
replace "$KOLAB_INIT" 1 '    exec runuser -u "$ID" -- /usr/libexec/master -D -p /var/run/master.pid' '    source /kolab/entry/start.sh'

# Cyrus reads the bundle again for new sessions when its master (not PID 1) gets HUP; open sessions live on. It is
# put in place whole: a session may begin at any moment.
renewed() {
  local bundle=/etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem certificate=/kolab/certificate
  (umask 077; cat "$certificate/tls.crt" "$certificate/tls.key" > "$bundle.new") \
    && chown 1001 "$bundle.new" && mv "$bundle.new" "$bundle" && kill -HUP "$(cat /var/run/master.pid)"
}
on_renewal /kolab/certificate renewed

set +eu
source "$KOLAB_INIT"
