# shellcheck shell=bash
# Sourced with Postfix' command line once the image's init has written the configuration: adjusts that by what it means,
# looks at what came of it, waits for the import, starts. Values of the image stay where nothing is wrong with them.
aliases=/etc/postfix/kolab_aliases
verdicts=/etc/postfix/kolab_verdicts
commands=/etc/postfix/kolab_commands
old='!SSLv2,!SSLv3,!TLSv1,!TLSv1.1' # the image's Postfix is older than the form ">=TLSv1.2"

line=" $* "
# As getopt reads it: the value may stand with its letter.
[[ $line =~ \ -[vD]*c\ *([^ ]+)\  ]] && export MAIL_CONFIG=${BASH_REMATCH[1]}
# Postfix reads a file that was changed just now again and again, until it has been left alone for a second
# (dict_load_file_xt): with each change looked at, a start would take twenty. Nobody else writes here, and postconf renames.
postconf() {
  command postconf "$@" || return
  touch -c -d '-1 minute' /etc/postfix/{main,master}.cf
}
[[ $line == *' start-fg '* ]] || fail "Postfix is started by '$*', which leaves the container without it: the image differs from the one this stack was made for"

[ -z "${MAIL_CONFIG-}" ] || [ "${MAIL_CONFIG%/}" = /etc/postfix ] || fail "Postfix would be configured in $MAIL_CONFIG and not in /etc/postfix: the image differs from the one this stack was made for"

source /kolab/entry/services.sh
source /kolab/entry/held.sh
source /kolab/entry/extra.sh
look

# The image may have put the private key elsewhere, too.
image_pem=$(of_all smtpd_tls_key_file)
[ ! -f "$image_pem" ] || chmod 600 "$image_pem"
put_certificate

cp /kolab/entry/aliases "$aliases"
# Cyrus' name is always right. When half of the cluster's DNS died with a node, the rest is taken for "no such name", and
# mail that was accepted would bounce.
printf '%s\n' '/^5\.4\.4 (unable to look up host .*)$/ 4.4.3 $1' > "$verdicts"
# The image's tables stay: newer ones also have lists, shared folders and catch-alls there.
postconf -e "virtual_alias_maps = texthash:$aliases, $(postconf -h virtual_alias_maps 2> /dev/null)"
# The certificate is the mounted one, TLS no older than 1.2. Nobody outside of the pod relays, speaks for another client,
# or goes another way out than the stack file says.
say "smtpd_tls_cert_file=$KOLAB_PEM" "smtpd_tls_key_file=$KOLAB_PEM" smtpd_tls_chain_files= smtpd_tls_eccert_file= smtpd_tls_dcert_file= \
  "smtpd_tls_protocols=$old" "smtpd_tls_mandatory_protocols=$old" \
  "lmtp_delivery_status_filter=regexp:$verdicts" lmtp_host_lookup=native \
  "myhostname=$KOLAB_HELO" "inet_protocols=$KOLAB_PROTOCOLS" "message_size_limit=$KOLAB_MESSAGE_SIZE_LIMIT" \
  disable_vrfy_command=yes smtpd_etrn_restrictions=reject \
  inet_interfaces=all master_service_disable= \
  mynetworks=127.0.0.0/8 relay_domains= smtpd_upstream_proxy_protocol= smtpd_authorized_xclient_hosts= \
  relayhost= default_transport=smtp relay_transport=relay \
  sender_dependent_relayhost_maps= sender_dependent_default_transport_maps=
# Mail leaves by a family of addresses that SPF and PTR name: the ways out are kept from the other one.
for way in smtp relay; do
  [ -n "$(postconf -M "$way/unix" 2> /dev/null)" ] || fail "Postfix has no way out called $way: the image differs from the one this stack was made for"
done
postconf -P "smtp/unix/inet_protocols=$KOLAB_SENDING" "relay/unix/inet_protocols=$KOLAB_SENDING"
# Amavis speaks no TLS, neither as a server nor as a client.
for filter in $(filters); do
  [ -z "$(postconf -M "$filter/unix" 2> /dev/null)" ] \
    || postconf -P "$filter/unix/smtp_tls_security_level=none" "$filter/unix/smtp_tls_wrappermode=no" "$filter/unix/smtp_tls_policy_maps="
done
[ -z "${KOLAB_RELAY-}" ] || source /kolab/entry/relay.sh
[ -z "${KOLAB_DANE-}" ] || source /kolab/entry/dane.sh

source /kolab/entry/restrictions.sh
# Password guessing stops here. smtpd_sasl_auth_enable=no would also stop the check against forged senders, and
# the exceptions alone only hide AUTH: a client that tries is let in. So the command has no meaning here.
echo '/^[[:space:]]*AUTH([[:space:]]|$)/ NO-PASSWORDS-HERE' > "$commands"
for_each "$INBOUND" smtpd_sasl_auth_enable=yes smtpd_sasl_exceptions_networks=static:all \
  "smtpd_command_filter=regexp:$commands" smtpd_relay_restrictions=permit_mynetworks,reject_unauth_destination \
  smtpd_tls_security_level=may smtpd_tls_wrappermode=no smtpd_authorized_xforward_hosts=
# The proxy speaks no TLS to its backends.
for_each "$SUBMISSION" smtpd_sasl_auth_enable=yes smtpd_tls_auth_only=no smtpd_tls_security_level=may \
  smtpd_tls_wrappermode=no smtpd_sasl_exceptions_networks= smtpd_relay_restrictions=permit_sasl_authenticated,reject
# Only this pod reaches it, and what is not taken here goes back to whoever wrote it.
for_each "$BACK" smtpd_relay_restrictions=permit_mynetworks,reject smtpd_recipient_restrictions=permit_mynetworks,reject \
  smtpd_client_restrictions= smtpd_helo_restrictions= smtpd_sender_restrictions= smtpd_data_restrictions= smtpd_end_of_data_restrictions= \
  smtpd_tls_security_level=none smtpd_tls_wrappermode=no
[ "$WITH_CONTENTFILTER" = true ] || for_each "$BACK" content_filter=

source /kolab/entry/shared.sh
source /kolab/entry/limits.sh
source /kolab/entry/people.sh
tidy
bash /kolab/entry/maintenance.sh "${KOLAB_BEGIN:-begin}"
look
source /kolab/entry/checks.sh
/usr/sbin/postfix check
rehearsed

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

exec "$@"
