#!/bin/bash
# Postfix: the image's init runs start.sh in place of Postfix.
source /kolab/entry/adjust.sh

# The image's folder of logs is there already where it outlives the container.
mkdir() { command mkdir -p "$@"; }

# Certificate and key as Postfix reads them, put in place whole. The image's own file is readable for everybody in the
# container.
KOLAB_PEM=/etc/pki/tls/private/postfix.pem
put_certificate() {
  (umask 077; mkdir "${KOLAB_PEM%/*}" && cat /kolab/certificate/tls.crt /kolab/certificate/tls.key > "$KOLAB_PEM.new") \
    && chown root:root "$KOLAB_PEM.new" && mv "$KOLAB_PEM.new" "$KOLAB_PEM"
}
renewed() { put_certificate && postfix reload; }
on_renewal /kolab/certificate renewed

# All that postfix(1) does beside a start is a look, or a preparation.
at_daemon /kolab/entry/start.sh postfix /usr/sbin/postfix -- '!(*start*)'
run_init /init.sh
