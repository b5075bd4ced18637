#!/bin/bash
# The proxy: lines of nginx' configuration that have no include stand in the image's init itself.
source /kolab/entry/adjust.sh
copy_init /init.sh
replace "$KOLAB_INIT" 1 '    ssl_protocols TLSv1 TLSv1.1 TLSv1.2;' '    ssl_protocols TLSv1.2 TLSv1.3;'
# The cipher list that satisfies both Mozilla's intermediate profile and internet.nl: ECDHE with AEAD only.
KOLAB_CIPHERS=ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-RSA-AES128-GCM-SHA256
KOLAB_CIPHERS+=:ECDHE-ECDSA-AES256-GCM-SHA384:ECDHE-RSA-AES256-GCM-SHA384
KOLAB_CIPHERS+=:ECDHE-ECDSA-CHACHA20-POLY1305:ECDHE-RSA-CHACHA20-POLY1305
replace "$KOLAB_INIT" 1 '    ssl_ciphers HIGH:!aNULL:!MD5;' "    ssl_ciphers $KOLAB_CIPHERS;"
# STARTTLS is offered, and so is LOGIN without it: passwords in the clear.
replace "$KOLAB_INIT" 3 '        starttls on;' '        starttls only;'
# The proxy never has an IPv6 address, and this line stops nginx on nodes without IPv6.
replace "$KOLAB_INIT" 1 '        listen [::]:6443 ssl ipv6only=on;' ''
# `auto` means one for each CPU of the node.
replace "$KOLAB_INIT" 1 'worker_processes auto;' 'worker_processes 4;'

on_renewal /kolab/certificate nginx -s reload

set +eu
source "$KOLAB_INIT"
