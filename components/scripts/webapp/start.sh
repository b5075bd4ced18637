# shellcheck shell=bash
# Sourced with the command line by which the image's init starts Octane or Horizon.
KOLAB_COMMAND=()
for KOLAB_WORD in "$@"; do
  case $KOLAB_WORD in --workers=* | --task-workers=*) ;; *) KOLAB_COMMAND+=("$KOLAB_WORD") ;; esac
done
# Swoole would start one worker for each CPU of the node, whatever the pod may use (model/budget.py).
case " $* " in *' octane:start '*) KOLAB_COMMAND+=(--workers=4 --task-workers=1) ;; esac

rehearsed
exec "${KOLAB_COMMAND[@]}"
