# shellcheck shell=bash
# Stands in for php-fpm where the image's init starts it: the image's own configuration is read first, then ours, and the
# last word counts. So it does not matter in which of its files the image says how many processes there are. Each may grow to
# 128 MB as in the images of June 2025: newer ones have 320, and one page too many would end them all.
fpm() {
  local file word pools pool limits
  command "$@" -tt > /tmp/kolab-fpm.log 2>&1 || fail "php-fpm refuses the image's configuration: $(tail -n 1 /tmp/kolab-fpm.log)"
  file=$(sed -n 's/.*configuration file \(.*\) test is successful.*/\1/p' /tmp/kolab-fpm.log)
  pools=$(sed -n 's/.*NOTICE: *\[\([^]]*\)\].*/\1/p' /tmp/kolab-fpm.log | grep -vx -e global -e General || :)
  [[ -n $file && -n $pools ]] || fail "php-fpm does not say which pools it has: the image differs from the one this stack was made for"
  printf 'include = %s\n' "$file" > /tmp/kolab-fpm.conf
  # shellcheck disable=SC2153 # a variable of the container
  for pool in $pools; do printf '[%s]\npm.max_children = %s\n' "$pool" "$MAX_CONCURRENT_REQUESTS" >> /tmp/kolab-fpm.conf; done
  local line=()
  for word in "$@"; do
    case $word in "$file") line+=(/tmp/kolab-fpm.conf) ;; *"=$file") line+=("${word%%=*}=/tmp/kolab-fpm.conf") ;; *) line+=("$word") ;; esac
  done
  [[ "${line[*]}" == *kolab-fpm.conf* ]] || line+=(--fpm-config /tmp/kolab-fpm.conf)
  line+=(-d memory_limit=128M)
  command "${line[@]}" -tt > /tmp/kolab-fpm.log 2>&1 || fail "php-fpm refuses its configuration: $(tail -n 1 /tmp/kolab-fpm.log)"
  limits=$(sed -n 's/.*pm\.max_children = *//p' /tmp/kolab-fpm.log | sort -u)
  [ "$limits" = "$MAX_CONCURRENT_REQUESTS" ] || fail "php-fpm would start up to '$limits' processes instead of $MAX_CONCURRENT_REQUESTS"
  # shellcheck disable=SC2034 # start.sh reads it
  KOLAB_FPM=yes
  [ "${KOLAB_TASK-}" = rehearse ] || command "${line[@]}"
}
php-fpm() { fpm php-fpm "$@"; }
/usr/sbin/php-fpm() { fpm /usr/sbin/php-fpm "$@"; }
