#!/bin/bash
# ready.sh INBOUND ORIGINATING: whether both ports are open, and the first one greets.
exec 3<>"/dev/tcp/127.0.0.1/$1" && exec 4<>"/dev/tcp/127.0.0.1/$2" && read -r -t 5 line <&3 && [[ $line == 220* ]]
