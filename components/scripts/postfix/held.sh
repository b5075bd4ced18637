# shellcheck shell=bash
# Sourced by start.sh before an operator's own lines, whose word counts here: what an image could say by which mail would
# wait, come back or reach nobody, though each daemon runs.
for name in smtpd_milters non_smtpd_milters smtpd_proxy_filter; do
  for each in "$name" $(printf '%s\n' "${!FACTS[@]}" | grep "/$name\$" || true); do
    [ -z "${FACTS[$each]-}" ] || warn "this image has all mail shown to ${FACTS[$each]} ($each), which this stack does not run: that is switched off"
  done
done
say smtpd_milters= non_smtpd_milters= smtpd_proxy_filter= soft_bounce=no \
  smtp_tls_security_level=may smtp_tls_wrappermode=no smtp_tls_policy_maps= \
  lmtp_tls_security_level=none lmtp_tls_wrappermode=no lmtp_tls_policy_maps= \
  smtpd_sasl_type=cyrus smtpd_sasl_path=smtpd smtpd_sasl_security_options=noanonymous
# The pod may not change its root (CAP_SYS_CHROOT), and each service that wants to ends before it answers.
postconf -F '*/*/chroot=n'

# without SERVICE WORD: SERVICE makes all exceptions of the image but for this one
without() {
  local word kept=
  for word in $(told "$1" receive_override_options | tr , ' '); do [ "$word" = "$2" ] || kept+=",$word"; done
  for_each "$1" "receive_override_options=${kept#,}"
}
# Nobody is taken for somebody of ours at port 25; and whoever a list or another name leads to is found at one side of the
# filter at least: at the side that all mail passes.
without "$INBOUND" no_unknown_recipient_checks
without "$BACK" no_address_mappings
for_each "$INBOUND" smtpd_reject_unlisted_recipient=yes
cleanup=$(told "$BACK" cleanup_service_name)
[ -z "${FACTS[${cleanup:-cleanup}/unix/virtual_alias_maps]+set}" ] || postconf -PX "${cleanup:-cleanup}/unix/virtual_alias_maps"
