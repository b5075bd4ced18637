# shellcheck shell=sh
rm -f /etc/redis/redis.conf.dpkg*
mkdir -p /var/lib/redis/data
chown -R 1001:0 /var/lib/redis /etc/redis /init.sh && chmod -R g=u /var/lib/redis /etc/redis && chmod 777 /init.sh
