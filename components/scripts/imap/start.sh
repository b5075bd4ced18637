# shellcheck shell=bash
# Sourced by the image's init once it has written Cyrus' configuration: adjusts that and starts the master.

# The image's listener takes passwords before TLS, for the webmail. The public one is ours and does not.
sieve='    sieve       cmd="timsieved"      listen=0.0.0.0:4190                      proto="tcp"          prefork=0'
replace /etc/cyrus.conf 1 "$sieve" "$sieve
    publicsieve cmd=\"timsieved\"      listen=0.0.0.0:$KOLAB_PUBLIC_SIEVE_PORT       proto=\"tcp\" prefork=0"
# autocreate_post: without it, mail for a user who never logged in is refused for good ("550 Mailbox unknown").
printf '%s\n' 'publicsieve_allowplaintext: no' 'publicsieve_tls_versions: tls1_2 tls1_3' 'autocreate_post: 1' >> /etc/imapd.conf
# The image has no sendmail. Without a way out a vacation note is lost, and a redirected message stays here alone.
sed -i -E '/^(smtp_backend|smtp_host):/d' /etc/imapd.conf
printf '%s\n' 'smtp_backend: host' "smtp_host: $KOLAB_ANSWERS/noauth" >> /etc/imapd.conf
bundle=/etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem
chown 1001 "$bundle" && chmod 600 "$bundle"

if [[ -e /var/lib/imap/.restoring ]]; then
  echo "entry: the mailboxes are restored in part only: run the same ./kolab backup restore again" >&2
  exit 1
fi
if [[ ${KOLAB_TASK:-} == reconstruct ]]; then
  # Entries for messages that came while the backup was made, indexes that never rested, sums of quotas.
  mkdir -p /run/cyrus/{db,lock,proc} && chown -R "$ID" /run/cyrus
  runuser -u "$ID" -- reconstruct && runuser -u "$ID" -- quota -f
  exit
fi

exec runuser -u "$ID" -- /usr/libexec/master -D -p /var/run/master.pid
