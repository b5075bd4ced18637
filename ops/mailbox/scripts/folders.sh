#!/bin/bash
# In Cyrus' container, a saved mailboxes.db on standard input: where this Cyrus keeps mailboxes, and the list of them as
# JSON. The living list is not touched: the saved one is opened with a configuration of its own.
set -euo pipefail
fail() { echo "restore: $1" >&2; exit 1; }
PATH=$PATH:/usr/sbin:/usr/libexec:/usr/libexec/cyrus-imapd:/usr/lib/cyrus-imapd:/usr/lib/cyrus/bin
settings=${IMAPD_CONF:-/etc/imapd.conf}
user=$(stat -c %U /var/lib/imap)
room=$(mktemp -d /tmp/kolab-folders.XXXXXX)
trap 'rm -rf "$room"' EXIT
cat > "$room/mailboxes.db"
[ -s "$room/mailboxes.db" ] || fail 'the backup holds no list of mailboxes; take another with --to'
{
  printf 'configdirectory: %s\ndefaultpartition: default\npartition-default: %s\n' "$room" "$room"
  printf 'mboxname_lockpath: %s/lock\nproc_path: %s/proc\n' "$room" "$room"
  sed -n '/^mboxlist_db:/p' "$settings"
} > "$room/imapd.conf"
chown -R "$user" "$room"
runuser -u "$user" -- cyr_info -C "$settings" conf-all | grep -E '^((meta|archive)?partition-|defaultdomain:)'
runuser -u "$user" -- ctl_mboxlist -C "$room/imapd.conf" -d || fail 'the list of mailboxes of this backup cannot be read; take another with --to'
