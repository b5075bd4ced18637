#!/bin/sh
# alive.sh: whether watch.sh still goes round.
find /work/alive -mmin -10 | grep -q .
