#!/bin/bash
# The newer Redis: when full it forgets what has a time to live, and no more.
contract-check || exit $?
set -eu
conf=/etc/redis/redis.conf
if [[ -v REDIS_PASSWORD ]]; then
  printf 'requirepass "%s"\n' "$REDIS_PASSWORD" >> "$conf"
else
  echo "redis: no REDIS_PASSWORD"
fi
if [[ -v MEMORY_LIMIT ]]; then
  # Upstream counts every variable whose name holds MEMORY; so does this.
  limit=$(env | grep MEMORY | sed 's/MEMORY_LIMIT=//' | awk '{ print int($1 * 0.8) }')
  printf 'maxmemory %s\nmaxmemory-policy volatile-lru\n' "$limit" >> "$conf"
fi
exec /usr/bin/redis-server "$conf" --daemonize no "$@"
