# shellcheck shell=sh
rm -rf /etc/php/8.2/fpm/pool.d/* /etc/nginx/sites-enabled/* /etc/nginx/modules-enabled/*
mkdir -p /data /opt/app-root/www /opt/app-root/run
cd /opt/app-root/www || exit
ln -s /var/lib/roundcube/public_html webmail
ln -s /var/lib/roundcube/public_html roundcubemail
ln -s /opt/app-root/src/chwala chwala
ln -s /usr/share/roundcube /opt/app-root/src/roundcubemail
ln -s /opt/app-root/src/activesync Microsoft-Server-ActiveSync
ln -sf /usr/sbin/php-fpm8.2 /usr/sbin/php-fpm
mkdir -p /var/log/roundcube
for folder in /data /opt/app-root /etc/roundcube /var/log/roundcube /var/lib/roundcube/temp; do
  chown -R 1001:0 $folder; chmod -R 777 $folder
done
