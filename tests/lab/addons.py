"""What runs inside the cluster: CoreDNS, MetalLB from its own manifest, storage classes, cert-manager's kinds."""

from __future__ import annotations

import string
from collections.abc import Callable

import yaml

from tests.lab import paths, programs
from tests.lab.progress import wait_until
from tests.lab.settings import Settings

Kubectl = Callable[..., str]
_CONTROLLER_SECONDS = 180


def apply(kubectl: Kubectl, settings: Settings) -> None:
    """Hand everything to the API server; `wait` waits for it."""
    values = {
        "DNS": settings.cluster_dns,
        "INTERNET_DNS": settings.internet_dns,
        "REPLICAS": str(min(2, settings.nodes)),
        "COREDNS": programs.COREDNS,
    }
    kubectl("apply", "-f", "-", text=_filled("coredns.yaml", values))
    kubectl("apply", "-f", "-", text=_filled("storage.yaml", {}))
    kubectl("apply", "-f", "-", text=_metallb())
    # Server-side: the kinds are too big for kubectl's annotation.
    kubectl("apply", "--server-side", "-f", str(programs.shared("cert-manager-crds")))
    kubectl("create", "namespace", "cert-manager")


def wait(kubectl: Kubectl, settings: Settings) -> None:
    """Until all of it works."""
    seconds = f"--timeout={_CONTROLLER_SECONDS}s"
    kubectl("-n", "metallb-system", "rollout", "status", "deployment/controller", seconds, seconds=240)
    pool = _filled("pool.yaml", {"LOAD_BALANCER": settings.load_balancer})
    # Its webhook answers a moment after its pod is ready.
    wait_until("MetalLB takes its pool", lambda: kubectl("apply", "-f", "-", text=pool), every=0.3)
    kubectl("-n", "metallb-system", "rollout", "status", "daemonset/speaker", seconds, seconds=240)
    kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", seconds, seconds=240)


def _metallb() -> str:
    """Upstream's manifest; only that its probes begin at once, which saves ten seconds at each start."""
    objects = list(yaml.safe_load_all(programs.shared("metallb.yaml").read_text()))
    for each in objects:
        for container in each.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            for probe in ("livenessProbe", "readinessProbe"):
                if probe in container:
                    container[probe].update(initialDelaySeconds=0, periodSeconds=2, failureThreshold=30)
    return yaml.safe_dump_all(objects)


def _filled(name: str, values: dict[str, str]) -> str:
    return string.Template((paths.SOURCES / "manifests" / name).read_text()).substitute(values)
