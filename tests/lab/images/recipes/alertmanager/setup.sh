# shellcheck shell=sh
rm -f /etc/prometheus/alertmanager.yml
