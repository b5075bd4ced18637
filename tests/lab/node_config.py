"""Configuration files of a node's daemons."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import yaml

from tests.lab import cgroups
from tests.lab.own_images import PAUSE
from tests.lab.pki import Pki
from tests.lab.settings import Settings

CNI_PROGRAMS = "/usr/lib/cni"
_NODE_LEASE_SECONDS = 8


def write(directory: Path, name: str, settings: Settings, pki: Pki) -> None:
    """All files of node `name`."""
    (directory / "cni").mkdir(parents=True, exist_ok=True)
    (directory / "containerd.toml").write_text(_containerd(directory / "cni"))
    (directory / "cni" / "10-lab.conflist").write_text(json.dumps(_network(name, settings)))
    (directory / "resolv.conf").write_text(f"nameserver {settings.internet_dns}\n")
    (directory / "kubelet.yaml").write_text(yaml.safe_dump(_kubelet(directory, name, settings, pki)))
    (directory / "kube-proxy.yaml").write_text(yaml.safe_dump(_proxy(name, settings, pki)))
    (directory / "kubeconfig").touch(mode=0o600)
    (directory / "kubeconfig").write_text(pki.kubeconfig(f"system:node:{name}").read_text())


def _containerd(networks: Path) -> str:
    return f"""\
version = 2
root = "/var/lib/containerd"
state = "/run/containerd"
oom_score = 0
[grpc]
  address = "/run/containerd/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "{PAUSE}"
  disable_apparmor = true
  # Where root lacks CAP_SYS_RESOURCE (in many CI machines) no pod would start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".containerd]
    snapshotter = "overlayfs"
    default_runtime_name = "runc"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "{CNI_PROGRAMS}"
    conf_dir = "{networks}"
"""


def _network(name: str, settings: Settings) -> dict[str, Any]:
    """A bridge; routes between nodes are static, addresses outside the cluster are network.set_egress's matter."""
    ranges = [[{"subnet": settings.node_pods(name)}]]
    bridge = {
        "type": "bridge",
        "bridge": "cni0",
        "isGateway": True,
        "ipMasq": False,
        "hairpinMode": True,
        "ipam": {"type": "host-local", "ranges": ranges, "routes": [{"dst": "0.0.0.0/0"}]},
    }
    ports = {"type": "portmap", "capabilities": {"portMappings": True}}
    return {"cniVersion": "1.0.0", "name": "lab", "plugins": [bridge, ports]}


def _kubelet(directory: Path, name: str, settings: Settings, pki: Pki) -> dict[str, Any]:
    return {
        "apiVersion": "kubelet.config.k8s.io/v1beta1",
        "kind": "KubeletConfiguration",
        "cgroupDriver": "cgroupfs",
        "cgroupRoot": f"/{cgroups.name(name)}",
        "failCgroupV1": False,
        "failSwapOn": False,
        "containerRuntimeEndpoint": "unix:///run/containerd/containerd.sock",
        "clusterDNS": [settings.cluster_dns],
        "clusterDomain": "cluster.local",
        "resolvConf": str(directory / "resolv.conf"),
        "tlsCertFile": str(pki.certificate(name)),
        "tlsPrivateKeyFile": str(pki.key(name)),
        "authentication": {
            "anonymous": {"enabled": False},
            "webhook": {"enabled": True},
            "x509": {"clientCAFile": str(pki.certificate("ca"))},
        },
        "authorization": {"mode": "Webhook"},
        "enforceNodeAllocatable": ["pods"],
        "localStorageCapacityIsolation": True,
        # All nodes share one disk, and images cannot be pulled again.
        "evictionHard": {"memory.available": "50Mi", "nodefs.available": "1%", "imagefs.available": "1%"},
        "imageGCHighThresholdPercent": 100,
        "imageMinimumGCAge": "24h",
        "nodeStatusUpdateFrequency": "4s",
        "nodeLeaseDurationSeconds": _NODE_LEASE_SECONDS,
        "registryPullQPS": 0,
        "serializeImagePulls": False,
    }


def _proxy(name: str, settings: Settings, pki: Pki) -> dict[str, Any]:
    return {
        "apiVersion": "kubeproxy.config.k8s.io/v1alpha1",
        "kind": "KubeProxyConfiguration",
        "mode": settings.proxy_mode,
        "clusterCIDR": settings.pods,
        "hostnameOverride": name,
        "clientConnection": {"kubeconfig": str(pki.kubeconfig("system:kube-proxy"))},
        # Its size is the machine's, not the node's, to set.
        "conntrack": {"maxPerCore": 0},
    }
