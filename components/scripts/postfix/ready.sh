#!/bin/bash
# ready.sh PORT: whether submission greets. A socket file alone says little, but without saslauthd the port opens and
# nobody can send.
test -S /run/saslauthd/mux && exec 3<>"/dev/tcp/127.0.0.1/$1" && read -r -t 5 line <&3 && [[ $line == 220* ]]
