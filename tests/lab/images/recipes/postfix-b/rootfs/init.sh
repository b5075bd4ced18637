#!/bin/bash
# Postfix, generation B: the same steps in another order, with the newer switches, and tables of lists and folders.
contract-check || exit $?
set -e

fill() { # fill FILE NAME...: put the values of variables where their names stand
    local file=$1 name
    shift
    for name in "$@"; do sed -i "s|$name|${!name:?env required}|g" "$file"; done
}

if [[ -f ${SSL_CERTIFICATE} ]]; then
    pem=/etc/pki/tls/private/postfix.pem
    # shellcheck disable=SC2086 # as upstream has it: the one that is not set is no file
    cat ${SSL_CERTIFICATE} ${SSL_CERTIFICATE_FULLCHAIN} ${SSL_CERTIFICATE_KEY} > $pem
    chown postfix:mail $pem && chmod 655 $pem
fi

fill /etc/postfix/main.cf LMTP_DESTINATION APP_DOMAIN MYNETWORKS AMAVIS_HOST MESSAGE_SIZE_LIMIT
mkdir /var/log/kolab
touch /var/log/kolab/postfix-{content-filter,policy-submission,policy-spf}.log
chmod -R 777 /var/log/kolab

chown -R postfix:mail /var/lib/postfix /var/spool/postfix
/usr/sbin/postfix set-permissions

fill /etc/saslauthd.conf APP_SERVICES_DOMAIN SERVICES_PORT
/usr/sbin/saslauthd -m /run/saslauthd -a httpform -d &
rm -f /var/spool/postfix/pid/master.pid

fill /etc/postfix/master.cf MYNETWORKS AMAVIS_HOST
[ "$WITH_CONTENTFILTER" == true ] || sed -i "s|content_filter=policy_mailfilter:dummy|content_filter=|" /etc/postfix/master.cf
[ "$WITH_PROXY_PROTOCOL" != true ] || sed -i "s|smtpd_upstream_proxy_protocol=|&haproxy|" /etc/postfix/master.cf
[ "$BLOCK_OUTGOING_EMAILS" != true ] || echo "default_transport = error:No outside emails." >> /etc/postfix/main.cf
[ "$HOLD_INCOMING_EMAILS" != true ] || sed -i "s|#check_recipient_access static:HOLD|check_recipient_access static:HOLD|" /etc/postfix/main.cf
[ -z "$RELAY_HOST" ] || sed -i "s|#relayhost=|relayhost=$RELAY_HOST|" /etc/postfix/main.cf

for file in /usr/libexec/postfix/kolab_*; do sed -i "s|SERVICES_HOST|http://$APP_SERVICES_DOMAIN:$SERVICES_PORT|" "$file"; done
for file in /etc/postfix/sql/*; do fill "$file" DB_HOST DB_USERNAME DB_PASSWORD DB_DATABASE; done

postmap /etc/postfix/sender_access
/usr/sbin/postfix check
exec /usr/sbin/postfix -c /etc/postfix start-fg
