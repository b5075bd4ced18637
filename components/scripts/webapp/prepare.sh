# shellcheck shell=bash
# What the image's init does before any role, for roles that the image does not have. Newer images leave the names of
# variables in PHP's settings, which their init fills in.
/update.sh
if [ -w /etc/php.ini ]; then
  while IFS= read -r line || [ -n "$line" ]; do
    # `key = NAME`, where NAME is a variable of the image.
    if [[ $line =~ ^([a-z_.]+)[[:space:]]*=[[:space:]]*([A-Z_]+)[[:space:]]*$ ]] && [ -n "${!BASH_REMATCH[2]-}" ]; then
      line="${BASH_REMATCH[1]} = ${!BASH_REMATCH[2]}"
    fi
    printf '%s\n' "$line"
  done < /etc/php.ini > /tmp/kolab-php.ini
  cat /tmp/kolab-php.ini > /etc/php.ini
fi
