#!/bin/bash
# Octane and Horizon: the image's init waits for the seed Job before all else.
source /kolab/entry/adjust.sh
source /kolab/entry/wait.sh
# What says that the daemon is meant, however PHP is called.
at_daemon /kolab/entry/start.sh octane:start horizon
source /kolab/entry/artisan.sh
run_init /init.sh
