#!/bin/sh
# alive.sh: whether the copy has moved within ten minutes; it touches the file each second while it asks a server.
[ -n "$(find /work/alive -mmin -10)" ]
