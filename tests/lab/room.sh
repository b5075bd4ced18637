#!/bin/bash
# room.sh NAME COMMAND...: runs a command as if it were alone on this machine. Its lab has a network, mounts and control
# groups of its own, so that several labs run at once. There is no way out: what a lab needs is built before.
# Several commands may use a name one after the other: `python -m tests.lab down` removes what the last one left.
set -euo pipefail
export KOLAB_LAB_ROOM=$1
shift
inside='ip link set lo up && mount -t tmpfs tmpfs /run/netns && exec "$@"'
exec unshare --net --mount --propagation private sh -c "$inside" room "$@"
