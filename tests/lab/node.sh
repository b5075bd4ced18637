#!/bin/bash
# A node of the lab. Runs as the first process of its own pid, mount, uts, ipc and network namespaces, so that killing
# it is a power-off: everything that it started goes with it, and its mounts.
# Given by node.py: NAME, ADDRESS, DISK (a directory; survives a power-off), PROGRAMS, VOLUMES, LOGS, GROUP.
set -euo pipefail

hostname "$NAME"
mount --make-rshared /
mount -t tmpfs tmpfs /run
mkdir -p /run/netns /run/containerd /run/lock
mount --make-rshared /run

# Its own disk, in place of this machine's.
for path in /var/lib/kubelet /var/lib/containerd /var/lib/cni /var/log/pods /var/log/containers; do
  mkdir -p "$DISK$path"
  mount --bind "$DISK$path" "$path"
done
mount --make-rshared /var/lib/kubelet

# Control groups. What a former life left makes the kubelet hang for half a minute.
remove_groups() { [ ! -d "$1" ] || find "$1" -depth -type d -exec rmdir {} + 2>/dev/null || true; }
if [ -f /sys/fs/cgroup/cgroup.controllers ]; then # version 2
  remove_groups "/sys/fs/cgroup/$GROUP"
  mkdir -p "/sys/fs/cgroup/$GROUP"
  read -r -a controllers </sys/fs/cgroup/cgroup.controllers
  for controller in "${controllers[@]}"; do
    echo "+$controller" >/sys/fs/cgroup/cgroup.subtree_control || true
    echo "+$controller" >"/sys/fs/cgroup/$GROUP/cgroup.subtree_control" || true
  done
else
  for hierarchy in /sys/fs/cgroup/*/; do
    remove_groups "$hierarchy$GROUP"
    mkdir -p "$hierarchy$GROUP" || true
  done
  # A new cpuset has neither processors nor memory, and no process may enter it.
  for what in cpus mems; do
    cat /sys/fs/cgroup/cpuset/cpuset.$what >"/sys/fs/cgroup/cpuset/$GROUP/cpuset.$what"
  done
fi

sysctl -qw net.ipv4.ip_forward=1 net.bridge.bridge-nf-call-iptables=1

containerd --config "$DISK/etc/containerd.toml" >>"$LOGS/$NAME-containerd.log" 2>&1 &
until ctr version >/dev/null 2>&1; do
  kill -0 $! # ends the node when containerd has ended
  sleep 0.1
done
"$PROGRAMS/movable" --node "$NAME" --data "$VOLUMES" >>"$LOGS/$NAME-movable.log" 2>&1 &
"$PROGRAMS/kube-proxy" --config="$DISK/etc/kube-proxy.yaml" --v=2 >>"$LOGS/$NAME-kube-proxy.log" 2>&1 &
while true; do
  # As on any node: it ends when containerd answers already but its CRI does not yet, and is started again.
  "$PROGRAMS/kubelet" --config="$DISK/etc/kubelet.yaml" --kubeconfig="$DISK/etc/kubeconfig" --hostname-override="$NAME" \
    --node-ip="$ADDRESS" --v=2 >>"$LOGS/$NAME-kubelet.log" 2>&1 || true
  sleep 1
done &
wait
