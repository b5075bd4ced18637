#!/bin/bash
# Whether Horizon says that it runs.
cd /opt/app-root/src && ./artisan horizon:status | grep -q running
