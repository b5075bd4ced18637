#!/bin/bash
# First step of every role.
contract-check || exit $?
set -e
cd /opt/app-root/src/
rm -f .env
