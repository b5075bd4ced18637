#!/bin/bash
# ready.sh IMAP LMTP: asks both ports as a client would. TCP connects even while every Cyrus process is stopped.
set -e
exec 3<>"/dev/tcp/127.0.0.1/$1"
read -r -t 3 line <&3; [[ $line == '* OK'* ]]
printf 'a NOOP\r\n' >&3
read -r -t 3 line <&3; [[ $line == 'a OK'* ]]
exec 4<>"/dev/tcp/127.0.0.1/$2"
read -r -t 3 line <&4; [[ $line == 220* ]]
