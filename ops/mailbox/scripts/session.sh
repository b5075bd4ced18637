#!/bin/bash
# In Cyrus' container: IMAP on standard input and output. It asks for no password (imapd(8), -N): whoever may run this may
# read the files as well. -X is imapd's way to serve its standard input (cyrus-imapd: master/service.c), in the place of
# Cyrus' master, whose two variables it wants.
set -eu
settings=${IMAPD_CONF:-/etc/imapd.conf}
PATH=$PATH:/usr/libexec:/usr/libexec/cyrus-imapd:/usr/lib/cyrus-imapd:/usr/lib/cyrus/bin
imapd=$(command -v imapd) || { echo 'restore: this image has no imapd where one was looked for' >&2; exit 1; }
export CYRUS_SERVICE=restore CYRUS_ID=0
exec runuser -u "$(stat -c %U /var/lib/imap)" -- "$imapd" -C "$settings" -X -N -p 2
