# shellcheck shell=bash
# Sourced by start.sh, after limits.sh: what Cyrus sends in the name of people (vacation notes, redirects, invitations)
# comes to a listener of its own, which relays. Only Cyrus reaches it (model/topology/connections.py); from elsewhere
# than pods it would refuse as well.
own=/etc/postfix/kolab_redirected
bounced=/etc/postfix/kolab_bounced

# By the way that submission takes through Amavis, which signs what is ours.
signed=$(told "${SUBMISSION%%$'\n'*}" content_filter)
[ -n "$signed" ] || fail 'submission has no content_filter: the image differs from the one this stack was made for'
# Only what Cyrus wrote itself is. A message that it was given has a Received line of LMTP: whoever forges us in a letter
# that somebody redirects gets no signature for it.
printf '%s\n' "/^Received:.*[[:space:]]with[[:space:]]+LMTP/ FILTER ${signed%%:*}:[127.0.0.1]:13025" > "$own"
# The program is asked about nothing else, and mail for everybody else does not depend on it.
printf '%s\n' '/^(SRS[01][=+-].+@.+)$/ $1' > "$bounced"

python=$(command -v python3 || true)
[ -n "$python" ] || fail 'python3 is not in this image: it differs from the one this stack was made for'
postconf -M "kolab_srs/unix=kolab_srs unix - n n - $KOLAB_PROXYMAPS spawn user=nobody argv=$python /kolab/entry/srs.py /kolab/srs/key $KOLAB_OWN_DOMAINS"
postconf -M 'cleanup_answers/unix=cleanup_answers unix n - n - 0 cleanup' "$KOLAB_ANSWERS_PORT/inet=$KOLAB_ANSWERS_PORT inet n - n - $KOLAB_ANSWERS smtpd"
srs=proxy:socketmap:unix:private/kolab_srs
postconf -e "proxy_read_maps = $(postconf -h proxy_read_maps 2> /dev/null) $srs:forward $srs:reverse"
postconf -P "cleanup_answers/unix/header_checks=regexp:$own" cleanup_answers/unix/mime_header_checks= cleanup_answers/unix/nested_header_checks=
# The header keeps the author. An empty sender, which no notice may answer, stays empty (RFC 3834).
postconf -P "cleanup_answers/unix/sender_canonical_maps=$srs:forward" cleanup_answers/unix/sender_canonical_classes=envelope_sender
# Before the image's tables, which may have an address for everything.
postconf -e "virtual_alias_maps = pipemap:{regexp:$bounced,$srs:reverse}, $(postconf -h virtual_alias_maps 2> /dev/null)"

for_each "$KOLAB_ANSWERS_PORT" syslog_name=postfix/answers cleanup_service_name=cleanup_answers \
  "content_filter=$signed" "mynetworks=$KOLAB_ANSWERS_CLIENTS" smtpd_client_restrictions=permit_mynetworks,reject \
  smtpd_helo_restrictions= smtpd_sender_restrictions= smtpd_data_restrictions= smtpd_end_of_data_restrictions= \
  smtpd_relay_restrictions=permit_mynetworks,reject smtpd_recipient_restrictions=permit_mynetworks,reject \
  smtpd_sasl_auth_enable=no smtpd_tls_security_level=none smtpd_tls_wrappermode=no receive_override_options= smtpd_peername_lookup=no \
  smtpd_client_connection_count_limit=0
