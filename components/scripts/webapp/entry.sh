#!/bin/bash
# Octane and Horizon: the image's init waits for the seed Job before all else.
source /kolab/entry/adjust.sh
copy_init /init.sh
# Its trace would write passwords into the log.
replace "$KOLAB_INIT" 1 'set -x' $'set +x\nsource /kolab/entry/wait.sh'
# Swoole would start one worker for each CPU of the node, whatever the pod may use.
replace "$KOLAB_INIT" 1 '        exec ./artisan octane:start --host=0.0.0.0' \
  '        exec ./artisan octane:start --host=0.0.0.0 --workers=4 --task-workers=4'
# A failed migration must not be served as if nothing had happened.
replace "$KOLAB_INIT" 1 '        php -dmemory_limit=512M ./artisan migrate --force || :' \
  '        php -dmemory_limit=512M ./artisan migrate --force'

set +eu
source "$KOLAB_INIT"
