# shellcheck shell=bash
# Sourced by the image's init once it has written Postfix' configuration: adjusts that, waits for the import, starts.
pem=/etc/pki/tls/private/postfix.pem
aliases=/etc/postfix/kolab_aliases
verdicts=/etc/postfix/kolab_verdicts
commands=/etc/postfix/kolab_commands

chown root:root "$pem" && chmod 600 "$pem"
cp /kolab/entry/aliases "$aliases"

# Cyrus' name is always right. When half of the cluster's DNS died with a node, the rest is taken for "no such name", and
# mail that was accepted would bounce.
printf '%s\n' '/^5\.4\.4 (unable to look up host .*)$/ 4.4.3 $1' > "$verdicts"

# Whoever reaches this port may relay: nobody outside of the pod does.
replace /etc/postfix/master.cf 1 \
  '0.0.0.0:13025     inet        n       -       n       -       100     smtpd' \
  '127.0.0.1:13025     inet        n       -       n       -       100     smtpd'

postconf -e "myhostname = $KOLAB_HELO"
postconf -e "inet_protocols = $KOLAB_PROTOCOLS"
# Mail leaves by a family of addresses that SPF and PTR name: the ways out are kept from the other one.
postconf -P "smtp/unix/inet_protocols=$KOLAB_SENDING" "relay/unix/inet_protocols=$KOLAB_SENDING"
postconf -e "message_size_limit = $KOLAB_MESSAGE_SIZE_LIMIT"
# Bounces, delivery reports and vacation answers come from <>: the image's first rule refuses them all on 25.
postconf -e 'smtpd_sender_restrictions = permit_mynetworks, reject_unknown_sender_domain, reject_unlisted_sender, reject_unauthenticated_sender_login_mismatch, reject_unauth_destination, check_policy_service unix:private/policy_spf, permit'
# The names are the older ones on purpose: the image's Postfix is older than the ">=" form.
postconf -e 'smtpd_tls_protocols = !SSLv2,!SSLv3,!TLSv1,!TLSv1.1'
postconf -e 'smtpd_tls_mandatory_protocols = !SSLv2,!SSLv3,!TLSv1,!TLSv1.1'
postconf -e 'disable_vrfy_command = yes'
postconf -e 'smtpd_etrn_restrictions = reject'
# The image's tables stay: newer ones also have lists, shared folders and catch-alls there.
postconf -e "virtual_alias_maps = texthash:$aliases, $(postconf -h virtual_alias_maps)"
postconf -e "lmtp_delivery_status_filter = regexp:$verdicts"

# Password guessing stops here. smtpd_sasl_auth_enable=no would also stop the check against forged senders, and
# the exceptions alone only hide AUTH: a client that tries is let in. So the command has no meaning here.
echo '/^[[:space:]]*AUTH([[:space:]]|$)/ NO-PASSWORDS-HERE' > "$commands"
postconf -P '10025/inet/smtpd_sasl_exceptions_networks=static:all' "10025/inet/smtpd_command_filter=regexp:$commands"
# Broken upstream (11465) or unused (11587): the proxy is the one way to submit from outside.
postconf -MX 0.0.0.0:11587/inet 0.0.0.0:11465/inet

[ -z "${KOLAB_RELAY-}" ] || source /kolab/entry/relay.sh
source /kolab/entry/shared.sh
source /kolab/entry/limits.sh
source /kolab/entry/people.sh
bash /kolab/entry/maintenance.sh begin
/usr/sbin/postfix check

# The SPF policy defers every client whose network it does not know. Until the registries' address ranges are
# imported, an open port 25 would defer the world.
cat > /tmp/database.cf <<DATABASE
hosts = $DB_HOST
user = $DB_USERNAME
password = $DB_PASSWORD
dbname = $DB_DATABASE
query = SELECT VARIABLE_VALUE FROM information_schema.GLOBAL_STATUS WHERE VARIABLE_NAME = '%s' AND EXISTS (SELECT 1 FROM ip4nets)
DATABASE
chmod 600 /tmp/database.cf
until postmap -q Uptime mysql:/tmp/database.cf > /dev/null 2>&1; do
  echo "entry: waiting for data:import (table ip4nets is empty or the database does not answer); port 25 stays closed"
  sleep 5
done

# Each process of Postfix leaves a database that has failed it alone for 60 s, and defers all mail meanwhile (before
# Postfix 3.9 that is compiled in: mysql_table(5), retry_interval). New processes ask it at once. A restart is known by
# the database's own clock: connections may wait for it and then find nothing wrong.
(
  before=0
  while sleep 2; do
    # Silence makes the next answer that of a new one, too.
    uptime=$(timeout 10 postmap -q Uptime mysql:/tmp/database.cf 2> /dev/null) || { before=9999999999; continue; }
    [ "$uptime" -ge "$before" ] || postfix reload || continue
    before=$uptime
  done
) &

exec /usr/sbin/postfix -c /etc/postfix start-fg
