#!/bin/bash
# maintenance.sh on|off|begin|close|state: while it is on, port 25 answers 451 and nothing leaves the queue or grows too old there.
# The mark lies beside the queue and outlives the container, whose configuration is made anew: `begin` is for its start, and
# `close` for one that the stack file wants closed, mark or not (mail.maintenance).
set -eu
mark=/var/spool/postfix/kolab-maintenance
open=/etc/postfix/kolab-open

close() {
  if [ ! -e "$open" ]; then
    rm -rf "$open.new"
    mkdir "$open.new"
    cp -p /etc/postfix/main.cf /etc/postfix/master.cf "$open.new"
    mv "$open.new" "$open"
  fi
  postconf -e 'kolab_resting = check_client_access static:{451 4.3.2 Maintenance: please try again later}'
  # Not all of Postfix: Amavis hands back what is in its hands on another port.
  for world in $(postconf -M | awk '$2 == "inet" && $1 ~ /(^|:)10025$/ { print $1 }'); do
    postconf -P "$world/inet/smtpd_client_restrictions=\$kolab_resting"
  done
  # Nothing reads it until this ends: Postfix would warn of it at each command.
  postconf -X kolab_client_restrictions
  leaving=$(postconf -M | awk '$2 == "unix" && $8 ~ /^(smtp|lmtp)$/ && $1 !~ /amavis/ { printf "%s ", $1 }')
  postconf -e "defer_transports = $leaving" 'maximal_queue_lifetime = 100d' 'bounce_queue_lifetime = 100d' 'delay_warning_time = 0'
}

case $1 in
  on)
    touch "$mark"
    close
    postfix reload
    ;;
  off)
    if [ -e "$open" ]; then
      mv "$open/main.cf" "$open/master.cf" /etc/postfix/
      rmdir "$open"
    fi
    rm -f "$mark"
    postfix reload
    postqueue -f
    ;;
  begin) [ ! -e "$mark" ] || close ;;
  close) close ;;
  state) if [ -e "$open" ]; then echo on; else echo off; fi ;;
esac
