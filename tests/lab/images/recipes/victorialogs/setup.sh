# shellcheck shell=sh
printf '#!/bin/sh\nexec tini -- /usr/bin/python3 /usr/libexec/lab/victorialogs.py "$@"\n' > /victoria-logs-prod
chmod 755 /victoria-logs-prod
