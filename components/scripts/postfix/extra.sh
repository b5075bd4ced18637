# shellcheck shell=bash
# Sourced by start.sh before what is ours, whose word is the last: parameters of an operator's own. What a daemon complains
# about with them and not without stops the container.
[ -r /kolab/entry/extra.cf ] || return 0
# Daemons judge the numbers that they read, and `postfix check` does not: one that does not take its own dies again and
# again, and mail waits. Started by hand, each reads all of them before it misses its master.
complaints() {
  local programs daemon
  programs=$(postconf -h daemon_directory)
  while IFS= read -r daemon; do
    "$programs/$daemon" -V < /dev/null 2>&1 | sed -n 's/^.* fatal: //p' &
  done < <(postconf -M | awk '{ print $8 }' | sort -u)
  wait
}
before=$(complaints | sort -u)
while IFS= read -r line; do
  [ -n "$(postconf -d "${line%% *}" 2> /dev/null)" ] || fail "this Postfix has no parameter ${line%% *}: remove kolab:extra.postfix.${line%% *}"
  postconf -e "$line"
done < /kolab/entry/extra.cf
new=$(comm -13 <(echo "$before") <(complaints | sort -u))
[ -z "$new" ] || fail "Postfix does not take a line of kolab:extra.postfix: ${new%%$'\n'*}"
