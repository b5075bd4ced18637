#!/bin/bash
# Redis with its password in the configuration; further arguments come last and win.
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
  printf 'maxmemory %s\nmaxmemory-policy allkeys-lru\n' "$limit" >> "$conf"
fi
exec /usr/bin/redis-server "$conf" --daemonize no "$@"
