# shellcheck shell=bash
# Sourced with the command line of Cyrus' master once the image's init has written its configuration: adjusts that by its
# keys and services, looks at what Cyrus itself understood, and starts the master.
DIFFERS=': the image differs from the one this stack was made for'
SETTINGS=/etc/imapd.conf SERVICES=/etc/cyrus.conf
AS=() words=() given=() own=
for word in "$@"; do
  # As getopt reads the master's own options: a value may stand with its letter.
  if [ -n "$own" ] && [[ $word =~ ^-[CMp]. ]]; then given+=("${word:0:2}" "${word:2}"); else given+=("$word"); fi
  [[ $word != *master ]] || own=yes
done
set -- "${given[@]}"
while [ $# -gt 0 ]; do
  case $1 in
    *master) AS=("${words[@]}") words+=("$1") ;;
    -C) SETTINGS=${2-} words+=("$1" "${2-}"); shift ;;
    -M) SERVICES=${2-} words+=("$1" "${2-}"); shift ;;
    -d) fail "Cyrus is started by '$*', which leaves the container without it$DIFFERS" ;;
    # Another letter may hide behind one that has no value.
    -D?*) fail "Cyrus is started with $1, which this stack does not read$DIFFERS" ;;
    # Where stop.sh and a renewed certificate look for it.
    -p) shift ;;
    *) words+=("$1") ;;
  esac
  shift
done
for file in "$SETTINGS" "$SERVICES"; do
  [ -r "$file" ] || fail "the image's init has written no $file: it differs from the one this stack was made for"
done

# Services and whoever is called by hand look there.
[ "$SETTINGS" -ef /etc/imapd.conf ] || ln -sfn "$SETTINGS" /etc/imapd.conf

source /kolab/entry/extra.sh
source /kolab/entry/services.sh
source /kolab/entry/settings.sh
# The image may have put the private key elsewhere, too.
image_bundle=$(told tls_server_key)
[ ! -f "$image_bundle" ] || chmod 600 "$image_bundle"
put_bundle
write_services
write_settings
source /kolab/entry/checks.sh
rehearsed

if [[ -e /var/lib/imap/.restoring ]]; then
  echo "entry: the mailboxes are restored in part only: run the same ./kolab backup restore again" >&2
  exit 1
fi
if [[ ${KOLAB_TASK:-} == reconstruct ]]; then
  # Entries for messages that came while the backup was made, indexes that never rested, sums of quotas.
  mkdir -p /run/cyrus/{db,lock,proc} && chown -R --reference=/var/lib/imap /run/cyrus
  "${AS[@]}" reconstruct && "${AS[@]}" quota -f
  exit
fi
if [[ ${KOLAB_TASK:-} == drill ]]; then
  mkdir -p /run/cyrus/{db,lock,proc} && chown -R --reference=/var/lib/imap /run/cyrus
  "${AS[@]}" reconstruct > /dev/null || { echo 'backup: the drill of the mail failed: reconstruct cannot read it' >&2; exit 1; }
  "${AS[@]}" /bin/bash /kolab/entry/drill.sh
  exit
fi

# Which mailboxes these are: it is in their backups, and comes back with them (components/scripts/backup/repository.sh).
if [[ ! -e /var/lib/imap/.identity ]]; then
  cat /proc/sys/kernel/random/uuid > /var/lib/imap/.identity
  chown --reference=/var/lib/imap /var/lib/imap/.identity && chmod 644 /var/lib/imap/.identity
fi
exec "${words[@]}" -p /var/run/master.pid
