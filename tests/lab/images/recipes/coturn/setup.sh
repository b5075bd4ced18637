# shellcheck shell=sh
# Debian's folder of the database under the name of upstream's distribution.
rm -rf /var/lib/turn
ln -s /var/lib/coturn /var/lib/turn
mkdir -p /var/lib/coturn /usr/libexec/lab
chmod 777 /var/lib/coturn
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
