#!/bin/bash
# The proxy: the image writes all of nginx' configuration at each start, and most of it has no include.
source /kolab/entry/adjust.sh
on_renewal /kolab/certificate nginx -s reload
at_daemon /kolab/entry/start.sh nginx /usr/sbin/nginx -- '-[tTvV]*'
run_init /init.sh
