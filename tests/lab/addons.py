"""What runs inside the cluster: CoreDNS, MetalLB from its own manifest, storage classes, cert-manager's kinds."""

from __future__ import annotations

import base64
import string
from collections.abc import Callable

import yaml
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import rsa

from tests.lab import paths, programs, signing
from tests.lab.progress import wait_until
from tests.lab.settings import Settings

Kubectl = Callable[..., str]
_CONTROLLER_SECONDS = 180
_WEBHOOK_SECRET = "metallb-webhook-cert"


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
    # Its webhook answers a moment after its pod is ready.
    pool = _filled("pool.yaml", {"LOAD_BALANCER": settings.load_balancer or f"{settings.router}/32"})
    rehearse = [] if settings.load_balancer else ["--dry-run=server"]
    wait_until("MetalLB takes a pool", lambda: kubectl("apply", *rehearse, "-f", "-", text=pool), every=0.3)
    kubectl("-n", "metallb-system", "rollout", "status", "daemonset/speaker", seconds, seconds=240)
    kubectl("-n", "kube-system", "rollout", "status", "deployment/coredns", seconds, seconds=240)


def _metallb() -> str:
    """Upstream's manifest, but that it need not be waited for.

    Its probes begin at once. And the certificate of its webhook is there: MetalLB makes one when there is none, but
    then waits for the kubelet to bring it into its own volume, which can take a minute.
    """
    objects = list(yaml.safe_load_all(programs.shared("metallb.yaml").read_text()))
    for each in objects:
        if each["kind"] == "Secret" and each["metadata"]["name"] == _WEBHOOK_SECRET:
            each["data"] = _webhook_certificate()
        for container in each.get("spec", {}).get("template", {}).get("spec", {}).get("containers", []):
            for probe in ("livenessProbe", "readinessProbe"):
                if probe in container:
                    container[probe].update(initialDelaySeconds=0, periodSeconds=2, failureThreshold=30)
    return yaml.safe_dump_all(objects)


def _webhook_certificate() -> dict[str, str]:
    """As cert-controller wants it: the CA is called "cert", its key is RSA."""
    ca = signing.authority("cert", rsa.generate_private_key(65537, 2048))
    key = signing.new_key()
    names = [x509.DNSName("metallb-webhook-service.metallb-system.svc")]
    certificate = signing.sign(signing.name("metallb"), key, ca, alternatives=names)
    files = {
        "ca.crt": signing.certificate_pem(ca.certificate),
        "ca.key": signing.key_pem(ca.key, pkcs8=False),
        "tls.crt": signing.certificate_pem(certificate),
        "tls.key": signing.key_pem(key),
    }
    return {name: base64.b64encode(content).decode() for name, content in files.items()}


def _filled(name: str, values: dict[str, str]) -> str:
    return string.Template((paths.SOURCES / "manifests" / name).read_text()).substitute(values)
