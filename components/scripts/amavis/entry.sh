#!/bin/bash
# Amavis: the image's init runs start.sh in place of amavisd.
source /kolab/entry/adjust.sh

# A rehearsal fetches nothing and starts nothing.
if [ "${KOLAB_TASK-}" = rehearse ]; then
  sa-update() { :; }
  for command in freshclam clamd; do
    eval "$command() { :; }; /usr/bin/$command() { :; }; /usr/sbin/$command() { :; }"
  done
fi

at_daemon /kolab/entry/start.sh amavisd /usr/sbin/amavisd amavisd-new /usr/sbin/amavisd-new \
  -- '*genrsa*' '*showkey*' '*testkey*' '*convert_keysfile*' '*test-config*' '*stop' '*status' '-[hV]'
run_init /init.sh
