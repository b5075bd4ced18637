# shellcheck shell=bash
# Sourced by start.sh before what is ours, whose word is the last: parameters of an operator's own.
[ -r /kolab/entry/extra.cf ] || return 0
while IFS= read -r line; do
  [ -n "$(postconf -d "${line%% *}" 2> /dev/null)" ] || fail "this Postfix has no parameter ${line%% *}: remove kolab:extra.postfix.${line%% *}"
  postconf -e "$line"
done < /kolab/entry/extra.cf
