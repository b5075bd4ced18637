#!/bin/bash
# Endpoints are removed while this sleeps; then nginx closes its ports and lets open sessions end.
sleep 5
nginx -s quit
while [ -e /run/nginx.pid ]; do sleep 1; done
