ln -s /usr/bin/prometheus-alertmanager /usr/bin/alertmanager
