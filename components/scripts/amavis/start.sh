# shellcheck shell=bash
# Sourced by the image's init once it has written Amavis' configuration: adjusts that and starts amavisd.
conf=/etc/amavisd/amavisd.conf

# Upstream counts every private address as ours, and signs what comes from there. Only this pod is.
replace "$conf" 1 '                  10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 );' '                  );'
replace "$conf" 1 '$inet_socket_bind = '"'0.0.0.0';" '$inet_socket_bind = '"'127.0.0.1';"
# Nothing is signed until a key is active.
if [ "$KOLAB_SIGNING" != true ]; then
  replace "$conf" 1 '$enable_dkim_signing = 1;    # load DKIM signing code, keys defined by dkim_key' '$enable_dkim_signing = 0;'
fi
cat /kolab/entry/verdicts.conf >> "$conf"
# Answers that never come end a question: a database whose node lost its power does not close its connections, and
# both of Amavis' processes would wait for a quarter of an hour.
printf '%s\n' '$_->[0] .= '"';mysql_connect_timeout=10;mysql_read_timeout=10'"' for @lookup_sql_dsn;' '1;' >> "$conf"

# The image updates its rules once, at start. sa-update leaves 0 only when there was something new.
( while sleep 86400; do sa-update && amavisd -c "$CONFIG" reload; done ) &

exec amavisd -c "$CONFIG" foreground
