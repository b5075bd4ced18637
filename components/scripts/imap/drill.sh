#!/bin/bash
# drill.sh: whether the mailboxes that a drill has brought back are whole. `reconstruct` has read them all by now.
set -eu
spool=/var/spool/imap state=/var/lib/imap
fail() { echo "backup: the drill of the mail failed: $1" >&2; exit 1; }
mailboxes=$(find "$spool" -type f -name cyrus.header | wc -l)
messages=$(find "$spool" -type f -name '[0-9]*.' | wc -l)
ctl_mboxlist -d > /tmp/mailboxes 2> /dev/null || fail 'mailboxes.db cannot be read'
[ -s /tmp/mailboxes ] || fail 'mailboxes.db names no mailbox'
wanted_mailboxes=$mailboxes wanted_messages=$messages
# shellcheck source=/dev/null
[ ! -r "$state/.manifest" ] || source "$state/.manifest"
[ "$mailboxes" = "$wanted_mailboxes" ] || fail "there are $mailboxes mailboxes in place of $wanted_mailboxes"
# What was expunged days before may have been removed while the backup was made: no more than one in a hundred.
[ "$((messages * 100))" -ge "$((wanted_messages * 99))" ] || fail "there are $messages messages in place of $wanted_messages"
# A file of zeroes is what a disk leaves that lies about what it has written.
sample=$(find "$spool" -type f -name '[0-9]*.' -printf '%T@ %p\n' | sort -rn | head -n 200 | cut -d ' ' -f 2-)
while IFS= read -r message; do
  [ -z "$message" ] || head -n 40 "$message" | grep -aqiE '^(received|from|date|message-id|mime-version|subject|content-type|return-path):' \
    || fail "$message is no message"
done <<< "$sample"
echo "backup: drilled mail of $(date -u -d "@$(cat "$state/.taken")" +%Y-%m-%dT%H:%MZ): $mailboxes mailboxes, $messages messages"
