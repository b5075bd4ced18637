#!/bin/bash
# PID 1 (runuser) kills everything two seconds after SIGTERM. Cyrus' master, told directly, finishes first.
pid=$(cat /var/run/master.pid)
working() { # whether a process that the master began has not ended
  local stat line
  for stat in /proc/[0-9]*/stat; do
    { read -r line < "$stat"; } 2>/dev/null && [[ ${line##*) } == [!ZX]" $pid "* ]] && return 0
  done
  return 1
}
kill -TERM "$pid"
while kill -0 "$pid" 2>/dev/null; do
  sleep 0.2
  # While a client waits to be served the master does not notice that its processes have ended, and would spin until
  # the grace period is over (cyrus-imapd before 3.13: master/master.c takes no SIGCHLD there). It keeps nothing itself.
  working || { sleep 1; working || kill -KILL "$pid" 2>/dev/null; }
done
