#!/bin/bash
# The address on standard input: prints what any table of Postfix says about it.
read -r address
for name in virtual_alias_maps local_recipient_maps; do
  for map in $(postconf -xh "$name" | tr , ' '); do
    case $map in *:*) postmap -q "$address" "$map" 2> /dev/null || true ;; esac
  done
done
