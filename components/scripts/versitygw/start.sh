#!/bin/sh
# start.sh BUCKET: a folder below objects is a bucket, which needs nothing else.
set -eu
mkdir -p "/data/objects/$1"
# Whose files these are, for backups. It comes back with a restore.
[ -s /data/identity ] || cat /proc/sys/kernel/random/uuid > /data/identity
exec versitygw posix /data/objects
