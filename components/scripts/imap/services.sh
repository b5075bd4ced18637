# shellcheck shell=bash
# Sourced by start.sh: cyrus.conf by what its services are, whatever they are called and however a line is written
# (cyrus.conf(5)). An entry is one line: a name, and words NAME=VALUE, whose values may be quoted.

# What pods and the world ask for, as PORT:PROGRAM (model/topology/daemons.py). None of them begins with TLS.
NEEDED="11080:httpd 11143:imapd 11024:lmtpd 4190:timsieved"
PUBLIC=publicsieve:$KOLAB_PUBLIC_SIEVE_PORT

# cyrus_conf write: the file as it shall be. cyrus_conf list [SECTION]: NAME PORT PROGRAM ARGUMENTS of each service, or of
# what else Cyrus begins
cyrus_conf() {
  awk -v needed="$NEEDED" -v public="$PUBLIC" -v mode="$1" -v section="${2-SERVICES}" '
    function read_entry(line,    word, value, key) {
      name = ""; rest = ""; split("", has)
      sub(/^[ \t]+/, "", line)
      name = line; sub(/[ \t].*/, "", name)
      line = substr(line, length(name) + 1)
      while (match(line, /^[ \t]*[A-Za-z]+=("[^"]*"|[^ \t]*)/)) {
        word = substr(line, 1, RLENGTH); line = substr(line, RLENGTH + 1)
        sub(/^[ \t]+/, "", word)
        key = word; sub(/=.*/, "", key)
        value = substr(word, length(key) + 2); gsub(/"/, "", value)
        has[key] = value
        if (key !~ /^(cmd|listen|proto)$/) rest = rest " " word
      }
      port = has["listen"]; sub(/.*:/, "", port)
      program = has["cmd"]; arguments = ""
      if (match(program, /[ \t]+/)) { arguments = substr(program, RSTART + 1); program = substr(program, 1, RSTART - 1) }
      sub(/.*\//, "", program)
    }
    BEGIN { split(needed, each, " "); for (i in each) wanted[each[i]] = 1; split(public, ours, ":") }
    /^[ \t]*(#|$)/ { if (mode == "write") print; next }
    /^[ \t]*[A-Za-z]+[ \t]*\{/ {
      inside = index(toupper($1), section) == 1
      if (mode == "write") {
        print
        if (inside) print "    " ours[1] " cmd=\"timsieved\" listen=0.0.0.0:" ours[2] " proto=\"tcp\" prefork=0"
      }
      next
    }
    !inside || /^[ \t]*\}/ { if (mode == "write") print; if ($0 ~ /^[ \t]*\}/) inside = 0; next }
    {
      read_entry($0)
      if (mode == "list") { print name, (port == "" ? "-" : port), program, arguments; next }
      # Ours is told from it by its name, and its port is taken.
      if (name == ours[1] || port == ours[2]) next
      if (!((port ":" program) in wanted) || (" " arguments " ") ~ / -s /) { print; next }
      cmd = has["cmd"]
      # Postfix has no password there; nobody else reaches it.
      if (program == "lmtpd" && (" " arguments " ") !~ / -a /) cmd = cmd " -a"
      print "    " name " cmd=\"" cmd "\" listen=0.0.0.0:" port " proto=\"tcp\"" rest
    }' "$SERVICES"
}

write_services() {
  local written
  written=$(cyrus_conf write)
  printf '%s\n' "$written" > "$SERVICES"
}
