#!/bin/bash
# redis-cli leaves 0 on NOAUTH: the answer must be read.
REDISCLI_AUTH="$REDIS_PASSWORD" redis-cli ping | grep -qx PONG
