#!/bin/bash
# One run of Laravel's scheduler. Domains may be made at any time, so their exemption from rate limits is looked after here.
/kolab/entry/unlimited.sh || echo "schedule: the exemptions from rate limits are as they were; the next run tries again" >&2
cd /opt/app-root/src && /update.sh && exec ./artisan schedule:run
