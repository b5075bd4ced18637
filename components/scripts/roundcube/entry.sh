#!/bin/bash
# Roundcube: as many PHP processes as the pod and the database have room for, whatever the image thinks.
source /kolab/entry/adjust.sh
at_daemon /kolab/entry/start.sh httpd /usr/sbin/httpd
source /kolab/entry/options.sh
httpd() { called httpd "$@"; }
/usr/sbin/httpd() { called /usr/sbin/httpd "$@"; }
source /kolab/entry/fpm.sh
run_init /opt/app-root/src/init.sh
