# shellcheck shell=sh
chown 1001:0 /etc /etc/php.ini
