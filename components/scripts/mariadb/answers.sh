#!/bin/bash
# answers.sh [ready]: whether a server of MariaDB's own image answers, which has no names of MySQL; with an argument, whether it
# has been made ready.
[ -z "${1-}" ] || test -e /tmp/initialized || exit 1
exec mariadb-admin --no-defaults --socket=/tmp/mysql.sock -u root ping
