# shellcheck shell=bash
# Sourced by start.sh: what has to hold in the end, as Postfix itself understood it. Each is a sentence that stops it.
DIFFERS=': the image differs from the one this stack was made for'
ALL=$(postconf -M 2> /dev/null)
service_is() { awk -v name="$1" -v kind="${2-}" '$1 == name && ($2 == "unix" || $2 == "fifo") && (kind == "" || $8 == kind) { found = 1 } END { exit !found }' <<< "$ALL"; }

# The volume is there; what waits elsewhere ends with the pod.
queue=$(of_all queue_directory)
[ "${queue%/}" = /var/spool/postfix ] || fail "Postfix would keep mail that waits in '$queue' and not in /var/spool/postfix$DIFFERS"

# filtered SERVICE PORT: what comes in there goes through Amavis at PORT
filtered() {
  local filter
  filter=$(told "$1" content_filter)
  [[ $filter =~ ^([^:]+):\[?127\.0\.0\.1\]?:$2$ ]] || fail "mail at $1 would go to '$filter' and not to Amavis at port $2$DIFFERS"
  service_is "${BASH_REMATCH[1]}" || fail "mail at $1 would go through ${BASH_REMATCH[1]}, which master.cf does not have$DIFFERS"
}
for service in $INBOUND; do
  filtered "$service" 13024
  # The domain of the stack is one of those.
  [[ $(told "$service" mydestination) == *mysql:* ]] || fail "Postfix would take no mail for domains that people add: mydestination asks no database$DIFFERS"
  [ -n "$(told "$service" local_recipient_maps)" ] || fail "every address would be taken and bounce later: local_recipient_maps is empty$DIFFERS"
  [[ $(told "$service" local_recipient_maps) == *mysql:* ]] || fail "Postfix would take no mail for people: local_recipient_maps asks no database$DIFFERS"
  [ -n "$(told "$service" smtpd_sender_login_maps)" ] || fail "strangers could write as our users: smtpd_sender_login_maps is empty$DIFFERS"
  lists=$(told "$service" smtpd_sender_restrictions) lists+=" $(told "$service" smtpd_recipient_restrictions)"
  [[ $lists == *check_policy_service* ]] || fail "no policy of the web application is asked about mail at $service$DIFFERS"
done
for service in $SUBMISSION; do
  filtered "$service" 13026
  lists=$(told "$service" smtpd_recipient_restrictions) lists+=" $(told "$service" smtpd_data_restrictions)"
  [[ $lists == *check_policy_service* ]] || fail "no policy of the web application is asked who may send as whom at $service$DIFFERS"
done
[[ $(of_all virtual_alias_maps) == *mysql:* ]] || fail "addresses that lead to people would be taken and bounce later: virtual_alias_maps asks no database$DIFFERS"
filter=$(told "$BACK" content_filter)
[[ $filter != *:1302[46] ]] || fail "mail would go round between Postfix and Amavis for ever$DIFFERS"
if [ "$WITH_CONTENTFILTER" = true ]; then
  service_is "${filter%%:*}" pipe || fail "the content filter is on, and mail goes to '$filter'$DIFFERS"
  # What the filter hands back comes in there.
  pickup=$(awk '$8 == "pickup" { print $1 "/" $2; exit }' <<< "$ALL")
  [ -z "$pickup" ] || postconf -P "$pickup/content_filter="
fi
[[ "$(of_all local_transport) $(of_all mailbox_transport) $(of_all virtual_transport)" == *"$LMTP_DESTINATION"* ]] || fail "mail for people would not go to Cyrus at $LMTP_DESTINATION$DIFFERS"

# Services that others name are there: without one, mail hangs, or TLS and limits are missing. bounce(8) is three services.
for service in $INBOUND $SUBMISSION $BACK; do
  for name in cleanup_service_name rewrite_service_name; do
    named=$(told "$service" "$name")
    service_is "${named:-${name%_service_name}}" || fail "$service would hand mail to '$named' ($name), which master.cf does not have$DIFFERS"
  done
done
for each in cleanup:cleanup qmgr:qmgr rewrite:trivial-rewrite bounce:bounce defer:bounce trace:bounce error:error retry:error \
  lmtp:lmtp tlsmgr:tlsmgr anvil:anvil showq:showq; do
  service_is "${each%:*}" "${each#*:}" || fail "Postfix would have no service ${each%:*}$DIFFERS"
done
# Policies that are asked, and programs that answer, are there. A missing one puts off all mail.
while IFS= read -r policy; do
  [[ $policy =~ ^unix:private/([^ ,}]+),?$ ]] || continue
  service_is "${BASH_REMATCH[1]}" spawn || fail "Postfix asks the policy ${BASH_REMATCH[1]}, which master.cf does not have$DIFFERS"
done < <(printf '%s\n' "${FACTS[@]}" | tr ' ' '\n')
while IFS= read -r program; do
  [ -x "${program#argv=}" ] || fail "${program#argv=}, which master.cf runs, is not in this image$DIFFERS"
  ! grep -qsw SERVICES_HOST "${program#argv=}" || fail "the image left SERVICES_HOST in ${program#argv=}, and no policy would be answered$DIFFERS"
done < <(grep -o 'argv=[^ ]*' <<< "$ALL" || true)
# So are tables, and nothing in those of the database waits to be filled in.
written=$({ postconf -nx; postconf -xP; } 2> /dev/null)
while IFS= read -r table; do
  file=${table#*:}
  case $table in
  mysql:* | texthash:* | regexp:* | pcre:* | cidr:*) [ -r "$file" ] || fail "$file, which Postfix reads, is not in this image$DIFFERS" ;;
  # What is made of a text by postmap has several endings. One that is not made puts off all mail.
  *)
    broken=$({ postmap -q kolab "$table" 2>&1 > /dev/null || true; } | sed -n 's/^postmap: \(fatal\|error\): //p' | tail -n 1)
    [ -z "$broken" ] || fail "Postfix cannot read $table, and would put off mail: $broken$DIFFERS"
    ;;
  esac
  case $table in
  mysql:*) ! grep -Eqi '^(hosts|user|password|dbname) *= *(DB_[A-Z_]+)? *$' "$file" || fail "the image left $file without an account of the database$DIFFERS" ;;
  esac
done < <(grep -Eo '(mysql|hash|texthash|regexp|pcre|cidr|lmdb|btree|cdb|dbm|sdbm|sqlite):/[^ ,}]+' <<< "$written" | sort -u)
asks_passwords
