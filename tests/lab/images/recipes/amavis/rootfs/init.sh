#!/bin/bash
# Amavis: puts values into its configuration, makes a DKIM key if there is none, updates rules, runs in the foreground.
contract-check || exit $?
set -e

CONFIG="/etc/amavisd/amavisd.conf"
sed -i -e "s|APP_DOMAIN|$APP_DOMAIN|g" -e "s|POSTFIX_HOST|$POSTFIX_HOST|g" $CONFIG
key="/var/dkim/$APP_DOMAIN.$DKIM_IDENTIFIER.pem"
if [ ! -f "$key" ]; then
    echo "amavis: no key at $key: making one"
    amavisd -c $CONFIG genrsa "$key" 2048
    chmod g+r "$key"
    chown -R amavis:amavis /var/dkim
fi
sed -i \
    -e "s|DKIM_SELECTOR|$DKIM_IDENTIFIER|g" \
    -e "s|DB_HOST|$DB_HOST|g" -e "s|DB_DATABASE|$DB_DATABASE|g" \
    -e "s|DB_USERNAME|$DB_USERNAME|g" -e "s|DB_PASSWORD|$DB_PASSWORD|g" \
    $CONFIG

rm -f /var/run/amavisd/amavisd.pid /var/run/amavisd/clamd.pid
mkdir -p /var/run/amavisd /var/spool/amavisd/tmp /var/spool/amavisd/db /var/spool/amavisd/quarantine
chmod 777 /var/run/amavisd
chown -R amavis:amavis /var/spool/amavisd
chown -R clamupdate:clamupdate /var/lib/clamav

echo "amavis: the public half for <selector>._domainkey:"
amavisd -c $CONFIG showkeys

# A command, not a comparison: that is why the variable may say nothing but true or false.
if $CLAMD; then
    /usr/bin/freshclam --datadir=/var/lib/clamav || :
    /usr/bin/freshclam -d -c 1 || :
fi
sa-update -v || :
if $CLAMD; then
    clamd --config-file=/etc/clamd.d/amavisd.conf
else
    sed -i -e "s/^# @bypass_virus_checks_maps/@bypass_virus_checks_maps/" -e "s/^\['ClamAV-clamd'/#&/" $CONFIG
fi
exec amavisd -c $CONFIG foreground
