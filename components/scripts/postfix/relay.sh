# shellcheck shell=bash
# Sourced by start.sh: mail for the world leaves through one smarthost, by a transport of its own. What is demanded there
# must not be demanded of Amavis and Cyrus, which speak no TLS: the ways to them are Postfix' clients as well.
authorities=
for file in /kolab/entry/authorities.pem /etc/pki/tls/certs/ca-bundle.crt /etc/ssl/certs/ca-certificates.crt; do
  [ -n "$authorities" ] || [ ! -s "$file" ] || authorities=$file
done
[ -n "$authorities" ] || fail 'no certificates of authorities are in this image: nobody vouches for the smarthost'

own=()
relay() { own+=("kolab-relay/unix/$1"); }
postconf -M 'kolab-relay/unix=kolab-relay unix - - n - - smtp'
postconf -e "relayhost = $KOLAB_RELAY" 'default_transport = kolab-relay' 'relay_transport = kolab-relay'
# Before a certificate of this very name was shown, nothing is said but EHLO and STARTTLS; mail waits in the queue.
relay smtp_tls_security_level=secure
relay smtp_tls_secure_cert_match=nexthop
relay smtp_tls_servername=nexthop
relay smtp_tls_policy_maps=
relay smtp_tls_CApath=
relay "smtp_tls_CAfile=$authorities"
relay "smtp_tls_wrappermode=$KOLAB_RELAY_IMPLICIT_TLS"
relay 'smtp_tls_mandatory_protocols=!SSLv2,!SSLv3,!TLSv1,!TLSv1.1'
if [ "$KOLAB_RELAY_LOGIN" = yes ]; then
  relay smtp_sasl_auth_enable=yes
  relay smtp_sasl_password_maps=texthash:/kolab/relay/login
  relay smtp_sasl_security_options=noplaintext,noanonymous
  relay smtp_sasl_tls_security_options=noanonymous
fi
postconf -P "${own[@]}"
