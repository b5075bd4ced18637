# shellcheck shell=sh
printf '#!/bin/sh\nexec tini -- /usr/bin/python3 /usr/libexec/lab/vector.py "$@"\n' > /usr/bin/vector
chmod 755 /usr/bin/vector
