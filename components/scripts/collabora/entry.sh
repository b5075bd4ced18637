#!/bin/bash
# Collabora: who may have documents opened is said anew, whatever the image's init has made of its configuration.
source /kolab/entry/adjust.sh
at_daemon /kolab/entry/start.sh coolwsd /usr/bin/coolwsd
run_init /init.sh
