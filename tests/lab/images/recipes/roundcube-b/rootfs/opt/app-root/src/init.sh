#!/bin/bash
# The newer webmail: as many PHP processes as a variable says, a hundred by default, and updates of tables that are there.
set -e
set -x
contract-check

[[ -z $EXTRA_CONFIG ]] || printf '%s\n' "$EXTRA_CONFIG" >> /etc/roundcube/config.inc.php
mkdir -p /data/pgp-home
chmod 777 /data/pgp-home
cd /opt/app-root/src/
sed -i "s/MAX_CONCURRENT_REQUESTS/$MAX_CONCURRENT_REQUESTS/" php-fpm.conf
sed -i -e "s/MAX_FILESIZE/$MAX_FILESIZE/" -e "s/MEMORY_LIMIT/$MEMORY_LIMIT/" /opt/app-root/php.ini

if [[ $RUN_MIGRATIONS == true ]]; then
    printf '[client]\nhost=%s\nuser=root\npassword=%s\n' "$DB_HOST" "$DB_ROOT_PASSWORD" > /tmp/kolab-setup-my.cnf
    mysql --defaults-file=/tmp/kolab-setup-my.cnf <<EOF
CREATE DATABASE IF NOT EXISTS $DB_RC_DATABASE CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;
CREATE USER IF NOT EXISTS $DB_RC_USERNAME@'%' IDENTIFIED BY '$DB_RC_PASSWORD';
ALTER USER $DB_RC_USERNAME@'%' IDENTIFIED BY '$DB_RC_PASSWORD';
GRANT ALL PRIVILEGES ON $DB_RC_DATABASE.* TO $DB_RC_USERNAME@'%';
EOF
    rm -f /tmp/kolab-setup-my.cnf
    rc() { MYSQL_PWD=$DB_RC_PASSWORD mysql -N -h "$DB_HOST" -u "$DB_RC_USERNAME" "$DB_RC_DATABASE" "$@"; }
    if [[ $(rc -e "SHOW TABLES LIKE 'system'") == "" ]]; then
        # The real image goes on without its tables, too.
        rc < /usr/share/roundcube/SQL/mysql.initial.sql || :
    fi
    roundcubemail/bin/updatedb.sh --dir roundcubemail/SQL/ --package roundcube || :
fi

if [[ $1 == shell ]]; then
    exec /bin/bash
fi
/usr/sbin/php-fpm -c /opt/app-root/php.ini --fpm-config /opt/app-root/src/php-fpm.conf
exec httpd -DFOREGROUND
