#!/bin/bash
# Postfix: makes the PEM and the queue's owners, starts saslauthd, puts values into the configuration, then the master.
contract-check || exit $?
set -e

if [[ -f ${SSL_CERTIFICATE} ]]; then
    # shellcheck disable=SC2086 # as upstream has it: the one that is not set is no file
    cat ${SSL_CERTIFICATE} ${SSL_CERTIFICATE_FULLCHAIN} ${SSL_CERTIFICATE_KEY} > /etc/pki/tls/private/postfix.pem
    chown postfix:mail /etc/pki/tls/private/postfix.pem
    chmod 655 /etc/pki/tls/private/postfix.pem
fi

mkdir /var/log/kolab
chmod 777 /var/log/kolab
chown -R postfix:mail /var/lib/postfix /var/spool/postfix
/usr/sbin/postfix set-permissions

put() { # put FILE NAME VALUE
    sed -i -e "s|$2|$3|g" "$1"
}
for name in APP_SERVICES_DOMAIN SERVICES_PORT; do put /etc/saslauthd.conf $name "${!name}"; done
/usr/sbin/saslauthd -m /run/saslauthd -a httpform -d &
rm -f /var/spool/postfix/pid/master.pid

for name in LMTP_DESTINATION APP_DOMAIN MYNETWORKS AMAVIS_HOST; do
    put /etc/postfix/main.cf $name "${!name:?env required}"
    put /etc/postfix/master.cf $name "${!name}"
done
if [ "$WITH_CONTENTFILTER" != "true" ]; then
    put /etc/postfix/master.cf content_filter=policy_mailfilter:dummy content_filter=
fi
for file in /usr/libexec/postfix/kolab_*; do put "$file" SERVICES_HOST "http://$APP_SERVICES_DOMAIN:$SERVICES_PORT"; done
for name in DB_HOST DB_USERNAME DB_PASSWORD DB_DATABASE; do
    for file in /etc/postfix/sql/*; do put "$file" "$name" "${!name:?env required}"; done
done

postmap /etc/postfix/sender_access
/usr/sbin/postfix check
exec /usr/sbin/postfix -c /etc/postfix start-fg
