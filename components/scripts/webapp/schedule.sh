#!/bin/bash
# One run of Laravel's scheduler. Domains may be made at any time, so their exemption from rate limits is looked after here.
/kolab/entry/unlimited.sh || echo "schedule: the exemptions from rate limits are as they were; the next run tries again" >&2
set -e
cd /opt/app-root/src
source /kolab/entry/prepare.sh
exec ./artisan schedule:run
