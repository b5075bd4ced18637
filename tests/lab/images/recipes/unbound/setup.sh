# shellcheck shell=sh
mkdir -p /usr/libexec/lab
mv /usr/sbin/unbound /usr/libexec/lab/unbound
cat > /usr/sbin/unbound <<'SH'
#!/bin/sh
# The contract is about the configuration: -c FILE.
export UNBOUND_CONFIG=/etc/unbound/unbound.conf
for argument in "$@"; do
  [ "$previous" = -c ] && UNBOUND_CONFIG=$argument
  previous=$argument
done
contract-check || exit $?
exec /usr/libexec/lab/unbound "$@"
SH
chmod 755 /usr/sbin/unbound
printf '#!/bin/sh\nset -e\nunbound-checkconf /etc/unbound/unbound.conf\nexec unbound -d -c /etc/unbound/unbound.conf\n' > /entrypoint.sh
