# shellcheck shell=bash
# Sourced by start.sh: a few proxymap processes ask the database for all of Postfix (DATABASE_README, "proxymap"). Else
# each smtpd keeps a connection for each table, and some 75 strangers who only connect take all that MariaDB has.
through_proxymap() { grep 'mysql:' | sed -E 's/(^|[ ,{])mysql:/\1proxy:mysql:/g' || true; }
main=$(postconf -n 2> /dev/null | through_proxymap)
services=$(postconf -P 2> /dev/null | through_proxymap)
[ -n "$main" ] || fail 'Postfix asks no database: this image differs from the one this stack was made for'
mapfile -t lines <<< "$main"
postconf -e "${lines[@]}"
mapfile -t lines <<< "$services"
[ -z "$services" ] || postconf -P "${lines[@]/ = /=}"
# proxymap's own list names parameters; tables within unions, restrictions and master.cf are added by name.
tables=$(grep -o 'proxy:mysql:[^ ,}]*' <<< "$main $services" | sort -u | tr '\n' ' ')
postconf -e "proxy_read_maps = $(postconf -dh proxy_read_maps) $tables"
[ -n "$(postconf -M proxymap/unix 2> /dev/null)" ] || fail 'Postfix would have no service proxymap, by which it asks the database: this image differs from the one this stack was made for'
# Each serves many; several, so that one slow answer does not hold up everybody. Each keeps a connection for each table: an
# image with more tables than were reckoned with has fewer processes (model/budget.py).
number=$(wc -w <<< "$tables") processes=$KOLAB_PROXYMAPS
[ "$number" -le "$KOLAB_TABLES" ] || processes=$((KOLAB_PROXYMAPS * KOLAB_TABLES / number))
[ "$processes" -gt 0 ] || fail "Postfix would ask $number tables of the database, which takes $((KOLAB_PROXYMAPS * KOLAB_TABLES)) connections of it: the image differs from the one this stack was made for"
postconf -F "proxymap/unix/process_limit=$processes"
