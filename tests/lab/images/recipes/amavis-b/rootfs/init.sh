#!/bin/bash
# Amavis, generation B: what becomes of spam and viruses comes from the environment, and Redis keeps what is learnt.
contract-check || exit $?
set -e

CONFIG="/etc/amavisd/amavisd.conf"
fill() { # fill FILE NAME...: put the values of variables where their names stand
    local file=$1 name
    shift
    for name in "$@"; do sed -i "s|$name|${!name}|g" "$file"; done
}
# shellcheck disable=SC2034 # fill reads it by its name
DKIM_SELECTOR=$DKIM_IDENTIFIER
fill $CONFIG APP_DOMAIN POSTFIX_HOST
key="/var/dkim/$APP_DOMAIN.$DKIM_IDENTIFIER.pem"
if ! [ -f "$key" ]; then
    echo "amavis: no key at $key: making one"
    amavisd -c $CONFIG genrsa "$key" 2048
    chmod g+r "$key"
    chown -R amavis:amavis /var/dkim
fi
fill $CONFIG DKIM_SELECTOR DB_HOST DB_DATABASE DB_USERNAME DB_PASSWORD \
    SPAM_DETECTED_LEVEL SPAM_KILL_LEVEL SPAM_KILL_ACTION VIRUS_KILL_ACTION
fill /etc/mail/spamassassin/local.cf REDIS_HOST REDIS_DATABASE REDIS_PASSWORD

rm -f /var/run/amavisd/amavisd.pid /var/run/amavisd/clamd.pid
mkdir -p /var/run/amavisd /var/spool/amavisd/{tmp,db,quarantine}
chmod 777 /var/run/amavisd
chown -R amavis:amavis /var/spool/amavisd
chown -R clamupdate:clamupdate /var/lib/clamav

echo "amavis: the public half for <selector>._domainkey:"
amavisd -c $CONFIG showkeys
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
echo "amavis: starting"
exec amavisd -c $CONFIG foreground
