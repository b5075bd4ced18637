# shellcheck shell=sh
ln -s /usr/lib/cyrus/bin/master /usr/libexec/master
for tool in cyr_info ctl_mboxlist reconstruct quota; do ln -sf /usr/lib/cyrus/bin/$tool /usr/sbin/$tool; done
ln -sf /usr/libexec/lab/saslauthd /usr/sbin/saslauthd
rm -rf /var/lib/cyrus /var/spool/cyrus /etc/cyrus.conf.dpkg* /etc/imapd.conf.dpkg* /run/cyrus
mkdir -p /run/saslauthd /run/cyrus /var/lib/imap /var/spool/imap /etc/pki/cyrus-imapd
touch /etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem
for path in /run /run/saslauthd /run/cyrus /var/lib/imap /var/spool/imap /etc/pki/cyrus-imapd /opt/app-root; do
  chown -R 1001:0 $path; chmod 777 $path
done
chown 1001:0 /etc /etc/passwd /etc/saslauthd.conf /etc/cyrus.conf /etc/imapd.conf /etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem
chmod g=u /etc/passwd /etc/saslauthd.conf /etc/cyrus.conf /etc/imapd.conf
