#!/bin/bash
# Cyrus: the image's init runs start.sh in place of Cyrus' master.
source /kolab/entry/adjust.sh

# Certificate and key as Cyrus reads them, put in place whole: a session may begin at any moment. Whoever the state belongs
# to is Cyrus.
KOLAB_BUNDLE=/etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem
put_bundle() {
  (umask 077; mkdir -p "${KOLAB_BUNDLE%/*}" && cat /kolab/certificate/tls.crt /kolab/certificate/tls.key > "$KOLAB_BUNDLE.new") \
    && chown --reference=/var/lib/imap "$KOLAB_BUNDLE.new" && mv "$KOLAB_BUNDLE.new" "$KOLAB_BUNDLE"
}
# Cyrus reads it again for new sessions when its master (not PID 1) gets HUP; open sessions live on.
renewed() { put_bundle && kill -HUP "$(cat /var/run/master.pid)"; }
on_renewal /kolab/certificate renewed

at_daemon /kolab/entry/start.sh master cyrmaster /usr/libexec/master /usr/libexec/cyrus-imapd/master \
  /usr/lib/cyrus-imapd/master /usr/lib/cyrus/bin/master /usr/sbin/cyrmaster
run_init /init.sh
