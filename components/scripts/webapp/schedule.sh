#!/bin/bash
# One run of Laravel's scheduler.
cd /opt/app-root/src && /update.sh && exec ./artisan schedule:run
