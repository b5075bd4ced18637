#!/bin/bash
contract-check || exit $?
set -e
cd /src/meetsrc
exec node server.js
