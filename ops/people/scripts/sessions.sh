#!/bin/bash
# The account on standard input: its sessions are ended, each of which is a process of Cyrus. Prints how many.
read -r user
folder=$(sed -n 's/^proc_path: *//p' /etc/imapd.conf)
[ -n "$folder" ] || folder=$(sed -n 's/^configdirectory: *//p' /etc/imapd.conf)/proc
ended=0
for file in "$folder"/[0-9]*; do
  [ -f "$file" ] || continue
  while IFS=$'\t' read -r _ _ who _; do
    [ "$who" != "$user" ] || { kill "${file##*/}" && ended=$((ended + 1)); }
  done < "$file"
done
echo "$ended"
