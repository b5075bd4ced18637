# shellcheck shell=sh
ln -sf /usr/libexec/lab/saslauthd /usr/sbin/saslauthd
mkdir -p /etc/pki/tls/private /run/saslauthd
chmod 755 /usr/libexec/postfix/*
# Debian's own list names pages that this file system leaves out; set-permissions stops at the first one.
sed -i -e '/manpage_directory/d' -e '/html_directory/d' -e '/readme_directory/d' -e '/sample_directory/d' /etc/postfix/postfix-files
rm -f /etc/postfix/postfix-files.d/*
printf 'postmaster: root\n' > /etc/aliases
# The image's own main.cf has placeholders until its init has run.
mkdir /tmp/postalias
echo 'compatibility_level = 2' > /tmp/postalias/main.cf
postalias -c /tmp/postalias hash:/etc/aliases
rm -r /tmp/postalias
# The volumes are empty in Kubernetes: nothing of the image's may be needed there.
rm -rf /var/spool/postfix /var/lib/postfix
mkdir -p /var/spool/postfix /var/lib/postfix
