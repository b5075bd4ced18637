#!/bin/bash
# alive.sh IMAP LMTP: ready, and saslauthd answers. A dead one leaves its socket behind and nobody can log in. Its own
# "NO" is an answer: it lives.
/kolab/entry/ready.sh "$@" && { testsaslauthd -u probe -p probe 2>&1 || true; } | grep -q NO
