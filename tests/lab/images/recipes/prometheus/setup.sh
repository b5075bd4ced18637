rm -f /etc/prometheus/prometheus.yml
