#!/bin/bash
# Cyrus, generation B: EXPIRY_DELAY and SKIP_CHOWN are new. Starts as root, gives both volumes to uid 1001 and drops to it. Not restartable in the same file system.
set -e
set -x
contract-check

sed -i \
    -e "s|IMAP_ADMIN_LOGIN|$IMAP_ADMIN_LOGIN|g" \
    -e "s|SERVERNAME|$SERVERNAME|g" \
    -e "s|MAXLOGINS_PER_USER|$MAXLOGINS_PER_USER|g" \
    -e "s|TLS_SERVER_CA_FILE|$TLS_SERVER_CA_FILE|g" \
    "$IMAPD_CONF"
sed -i -e "s|APP_SERVICES_DOMAIN|$APP_SERVICES_DOMAIN|g" -e "s|SERVICES_PORT|$SERVICES_PORT|g" /etc/saslauthd.conf
sed -i "s|EXPIRY_DELAY|$EXPIRY_DELAY|g" "$CYRUS_CONF"
[[ $CYRUS_CONF == /etc/cyrus.conf ]] || cp "$CYRUS_CONF" /etc/cyrus.conf
[[ $IMAPD_CONF == /etc/imapd.conf ]] || cp "$IMAPD_CONF" /etc/imapd.conf

if [[ $WITH_TLS == true ]]; then
    if [[ -f $SSL_CERTIFICATE ]]; then
        # shellcheck disable=SC2086 # as upstream has it: the one that is not set is no file
        cat "$SSL_CERTIFICATE" $SSL_CERTIFICATE_FULLCHAIN "$SSL_CERTIFICATE_KEY" > /etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem
    fi
    sed -i "s|# WITH_TLS ||" /etc/imapd.conf /etc/cyrus.conf
fi
[[ $WITH_TAGS != true ]] || sed -i "s|# WITH_TAGS ||" /etc/imapd.conf

# Cyrus logs to /dev/log and nowhere else.
busybox syslogd -n -O- &

ID=$(id -u default)
GID=$(id -g default)
echo "$ID:x:$ID:$GID::/opt/app-root/:/bin/bash" > /etc/passwd

runuser -u "$ID" -- /usr/sbin/saslauthd -m /run/saslauthd -a httpform &

[[ -n $SKIP_CHOWN ]] || chown -R "$ID:$GID" /var/spool/imap/ /var/lib/imap/
runuser -u "$ID" -- mkdir -p /var/lib/imap/socket /var/lib/imap/db
export CYRUS_USER="$ID" CYRUS_VERBOSE=1
runuser -u "$ID" -- cyr_info conf-lint

if [[ $1 == validate ]]; then
    echo "Config validated"
else
    echo "Starting cyrus"
    exec runuser -u "$ID" -- /usr/libexec/master -D -p /var/run/master.pid
fi
