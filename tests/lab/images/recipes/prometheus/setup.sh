# shellcheck shell=sh
rm -f /etc/prometheus/prometheus.yml
