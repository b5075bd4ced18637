# shellcheck shell=bash
# Sourced by start.sh before what is ours, whose word is the last: options of an operator's own. Cyrus ends when one stands
# there twice, or has a value that it cannot read.
[ -r /kolab/entry/extra.conf ] || return 0
while IFS= read -r line; do
  sed -i "/^${line%%:*}:/d" "$SETTINGS"
  printf '%s\n' "$line" >> "$SETTINGS"
done < /kolab/entry/extra.conf
looked=$(cyr_info -C "$SETTINGS" conf-lint 2>&1) || fail "Cyrus does not take kolab:extra.imap: ${looked##*fatal error: }"
while IFS= read -r line; do
  [[ $'\n'$looked != *$'\n'"${line%%:*}:"* ]] || fail "this Cyrus has no option ${line%%:*}: remove kolab:extra.imap.${line%%:*}"
done < /kolab/entry/extra.conf
