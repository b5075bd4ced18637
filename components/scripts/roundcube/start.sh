# shellcheck shell=bash
# Sourced with the web server's command line. Without PHP it would answer every page with 503.
[ -n "${KOLAB_FPM-}" ] || fail "the image's init starts a web server and no php-fpm: it differs from the one this stack was made for"
# Before its name stands what runs it.
for ((KOLAB_WORD = 1; KOLAB_WORD < $#; KOLAB_WORD++)); do
  case ${!KOLAB_WORD} in httpd | */httpd) break ;; esac
done
told "${@:KOLAB_WORD+1}" || fail "the image's init ends with '$*', which serves nobody: it differs from the one this stack was made for"
[ -n "$KOLAB_FOREGROUND" ] || fail "the web server would go on in the background, by '$*', and the container would end: the image differs from the one this stack was made for"

rehearsed
exec "$@"
