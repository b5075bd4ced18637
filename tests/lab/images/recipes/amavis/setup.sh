# shellcheck shell=sh
usermod -d /var/spool/amavisd amavis
mkdir -p /var/run/amavisd /var/dkim /var/spool/amavisd /var/lib/clamav /var/lib/spamassassin
chmod 777 /var/run/amavisd /var/dkim /var/spool/amavisd
rm -rf /var/lib/amavis
