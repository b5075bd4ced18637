mkdir -p /var/lib/coturn /usr/libexec/lab
mv /usr/bin/turnserver /usr/libexec/lab/turnserver
cat > /usr/bin/turnserver <<'SH'
#!/bin/sh
# The contract is about the configuration: -c FILE.
export TURN_CONFIG=/etc/turnserver.conf
for argument in "$@"; do
  [ "$previous" = -c ] && TURN_CONFIG=$argument
  previous=$argument
done
contract-check || exit $?
exec /usr/libexec/lab/turnserver "$@"
SH
chmod 755 /usr/bin/turnserver
