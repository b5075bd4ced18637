# shellcheck shell=sh
chown -R 1001:0 /opt/app-root && chmod -R 777 /opt/app-root
