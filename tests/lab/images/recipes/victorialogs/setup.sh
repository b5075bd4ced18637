# shellcheck shell=sh
ln -s /usr/bin/victoria-logs /victoria-logs-prod
