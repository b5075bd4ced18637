# shellcheck shell=sh
printf '#!/bin/sh\ncontract-check || exit $?\nexec tini -- /usr/bin/python3 /usr/libexec/lab/exporter.py "$@"\n' > /usr/bin/postfix_exporter
chmod 755 /usr/bin/postfix_exporter
