# shellcheck shell=sh
ln -s /usr/bin/prometheus-alertmanager /usr/bin/alertmanager
rm -f /etc/prometheus/alertmanager.yml
