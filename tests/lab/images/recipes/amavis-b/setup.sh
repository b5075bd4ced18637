# shellcheck shell=sh
# Debian reads another folder, where the defaults of its package are.
cp -n /etc/spamassassin/* /etc/mail/spamassassin/
rm -rf /etc/spamassassin
ln -s /etc/mail/spamassassin /etc/spamassassin
