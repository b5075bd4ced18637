#!/bin/bash
# Amavis: the image's init runs start.sh in place of amavisd.
source /kolab/entry/adjust.sh
copy_init /init.sh
replace "$KOLAB_INIT" 1 'exec amavisd -c $CONFIG foreground' 'source /kolab/entry/start.sh'

set +eu
source "$KOLAB_INIT"
