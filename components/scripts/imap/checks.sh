# shellcheck shell=bash
# Sourced by start.sh: what has to hold in the end, as Cyrus itself understood it. Each is a sentence that stops it.
sections=$(grep -Eic '^[[:space:]]*SERVICES[[:space:]]*\{' "$SERVICES" || true)
[ "$sections" = 1 ] || fail "$SERVICES has $sections sections of services$DIFFERS"
listed=$(cyrus_conf list)
for each in $NEEDED; do
  # Whoever asks speaks no TLS first.
  awk -v port="${each%:*}" -v program="${each#*:}" '$2 == port && $3 == program { for (i = 4; i <= NF; i++) if ($i == "-s") next; found = 1 } END { exit !found }' <<< "$listed" \
    || fail "Cyrus would have no ${each#*:} at port ${each%:*}$DIFFERS"
done
[ "$(grep -c "^${PUBLIC%:*} ${PUBLIC#*:} timsieved" <<< "$listed")" = 1 ] || fail "Cyrus would not serve Sieve to people at port ${PUBLIC#*:}$DIFFERS"

# What died with its machine is mended before anybody is served, and what was deleted goes once its days are over.
while read -r section program letter; do
  cyrus_conf list "$section" | grep -Eq "[ /]$program( .*)? -[A-Za-z]*$letter" || fail "Cyrus would not run $program -$letter ($section)$DIFFERS"
done << 'MAINTENANCE'
START ctl_cyrusdb r
EVENTS ctl_cyrusdb c
EVENTS cyr_expire E
EVENTS cyr_expire X
EVENTS cyr_expire D
MAINTENANCE

ask() { "${AS[@]}" cyr_info -C "$SETTINGS" -M "$SERVICES" "$@"; }
understood=$(ask conf-all 2>&1) || fail "Cyrus does not take its settings: $(tail -n 1 <<< "$understood")"
value() { awk -v key="$1:" '$1 == key { sub(/^[^ ]* ?/, ""); print; exit }' <<< "$understood"; }
for key in "${!OWN[@]}"; do
  found=$(value "$key")
  case ${OWN[$key]}:$found in
    "$found:$found" | 1:yes | 1:on | 0:no | 0:off) ;;
    *) fail "Cyrus understands '$found' and not '${OWN[$key]}' by $key$DIFFERS" ;;
  esac
done
# Upstream's own `validate` is this.
while IFS= read -r line; do
  [ -n "$line" ] || continue
  key=${line%%:*}
  [ -z "${OWN[$key]-}" ] || fail "this Cyrus does not know $key$DIFFERS"
  warn "this Cyrus does not know $key, which the image sets"
done <<< "$(ask conf-lint 2>&1)"

# Mail and what is known about it lie on the volumes; all else ends with the container.
while IFS=' ' read -r key place; do
  case $key in
    configdirectory: | sievedir: | partition-*: | metapartition-*: | archivepartition-*: | *_db_path: | searchpartition-*:) ;;
    *) continue ;;
  esac
  case $key:$place/ in
    # Made anew at each start.
    duplicate_db_path:*/run/* | statuscache_db_path:*/run/* | tls*_db_path:*/run/* | *:/) ;;
    *:/var/lib/imap/* | *:/var/spool/imap/*) ;;
    *) fail "Cyrus would keep mail or its state at $place (${key%:}), which is on no volume$DIFFERS" ;;
  esac
done <<< "$understood"
[ -n "$(value "partition-$(value defaultpartition)")" ] || fail "Cyrus has no place for mailboxes (defaultpartition)$DIFFERS"
# Elsewhere on a volume it would find neither the mail nor the scripts that are there.
while read -r key place; do
  found=$(value "$key")
  [ "${found%/}" = "$place" ] || fail "Cyrus would look in '$found' and not in $place ($key)$DIFFERS"
done << 'PLACES'
configdirectory /var/lib/imap
sievedir /var/lib/imap/sieve
partition-default /var/spool/imap
PLACES
# A service reads the file that its own command line names, whatever the master reads.
while read -r name _ _ arguments; do
  file=/etc/imapd.conf
  [[ " $arguments" =~ \ -C\ *([^ ]+) ]] && file=${BASH_REMATCH[1]}
  [ "$file" -ef "$SETTINGS" ] || fail "the service $name would read $file, and not $SETTINGS, which is adjusted$DIFFERS"
done <<< "$listed"
for module in caldav carddav freebusy; do
  [[ " $(value httpmodules) " == *" $module "* ]] || fail "Cyrus would serve no $module$DIFFERS"
done
# What an init no longer fills in.
empty=$(grep -Eo '^[a-z_-]+:[[:space:]]*[A-Z]+(_[A-Z]+)+$' "$SETTINGS" | head -n 1 || true)
[ -z "$empty" ] || fail "the image left '$empty' in $SETTINGS$DIFFERS"
empty=$(unfilled "$SERVICES")
[ -z "$empty" ] || fail "the image left '$empty' in $SERVICES$DIFFERS"
asks_passwords
