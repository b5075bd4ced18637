# shellcheck shell=bash
# Sourced with the web server's command line. Without PHP it would answer every page with 503.
[ -n "${KOLAB_FPM-}" ] || fail "the image's init starts a web server and no php-fpm: it differs from the one this stack was made for"

rehearsed
exec "$@"
