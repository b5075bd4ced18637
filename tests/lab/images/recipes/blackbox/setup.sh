# shellcheck shell=sh
ln -s /usr/bin/prometheus-blackbox-exporter /usr/bin/blackbox_exporter
