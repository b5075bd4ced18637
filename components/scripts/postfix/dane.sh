# shellcheck shell=bash
# Sourced by start.sh: a receiver whose zone names the keys of its servers gets mail over TLS with such a key or not at all
# (RFC 7672); to all others mail goes as far as TLS goes. Postfix believes what its resolver calls validated.
asked=$({ awk '$1 == "nameserver" { print $2 }' /etc/resolv.conf || true; } | sort -u | tr '\n' ' ')
# A rehearsal sends nothing, and has no resolver beside it.
[ "${KOLAB_TASK-}" = rehearse ] || [ "$asked" = '127.0.0.1 ' ] \
  || fail "names are asked of '${asked% }', whose word for what is signed would be believed: with DANE this pod asks 127.0.0.1 alone"

own=()
# Not for all of Postfix: Amavis and Cyrus, to whom it is a client as well, speak no TLS.
for way in smtp relay; do
  own+=("$way/unix/smtp_tls_security_level=dane" "$way/unix/smtp_dns_support_level=dnssec" "$way/unix/smtp_host_lookup=dns")
  own+=("$way/unix/smtp_tls_policy_maps=texthash:/kolab/entry/exempt" "$way/unix/smtp_tls_loglevel=1")
  # No authority is asked, and a file of them that an image lacks would turn TLS off: mail with keys would wait for ever.
  own+=("$way/unix/smtp_tls_CAfile=" "$way/unix/smtp_tls_CApath=")
done
postconf -P "${own[@]}"
