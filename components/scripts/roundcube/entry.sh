#!/bin/bash
# Roundcube: the image's init, without a trace of its passwords.
source /kolab/entry/adjust.sh
copy_init /opt/app-root/src/init.sh
quiet

set +eu
source "$KOLAB_INIT"
