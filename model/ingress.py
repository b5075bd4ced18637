"""Ingress controllers that this stack knows: what each must be told so that it carries what mail people send.

Unless told, most of them cut a body at 1 MiB and a connection after a minute of silence. A phone's ActiveSync ping is
silent for up to 15 minutes, and so are sockets of documents and conferences.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["ingress-nginx", "nginx", "traefik", "haproxy", "haproxy-ingress", "contour"]

SILENCE = 3600
"""Seconds that a connection may be silent."""
TRANSPORT = "kolab-proxy"
"""Name of the ServersTransport that tells Traefik about the proxy."""


@dataclass(frozen=True, kw_only=True)
class Told:
    """Annotations of the Ingress, and of the Service that it leads to."""

    ingress: Mapping[str, str]
    service: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Controller:
    """One kind of controller, and its annotations of the Ingress and of the Service.

    In their values `{service}` is that Service, `{namespace}` the stack's, `{body}` the largest body in bytes, and
    `{silence}` seconds that a connection may be silent.
    """

    classes: tuple[str, ...]
    """How `spec.controller` of its ingress classes begins."""
    ingress: Mapping[str, str]
    service: Mapping[str, str] = field(default_factory=dict)
    source: str

    def told(self, service: str, namespace: str, body: int) -> Told:
        """The annotations for one stack."""
        values = {"service": service, "namespace": namespace, "body": body, "silence": SILENCE}

        def filled(annotations: Mapping[str, str]) -> dict[str, str]:
            return {key: value.format(**values) for key, value in annotations.items()}

        return Told(ingress=filled(self.ingress), service=filled(self.service))


CONTROLLERS: Mapping[Kind, Controller] = {
    "ingress-nginx": Controller(
        classes=("k8s.io/ingress-nginx",),
        ingress={
            "nginx.ingress.kubernetes.io/backend-protocol": "HTTPS",
            "nginx.ingress.kubernetes.io/proxy-body-size": "{body}",
            "nginx.ingress.kubernetes.io/proxy-request-buffering": "off",
            "nginx.ingress.kubernetes.io/proxy-read-timeout": "{silence}",
            "nginx.ingress.kubernetes.io/proxy-send-timeout": "{silence}",
        },
        source="ingress-nginx: user guide, annotations",
    ),
    "nginx": Controller(
        classes=("nginx.org/ingress-controller",),
        ingress={
            "nginx.org/ssl-services": "{service}",
            "nginx.org/websocket-services": "{service}",
            "nginx.org/client-max-body-size": "{body}",
            "nginx.org/proxy-read-timeout": "{silence}s",
            "nginx.org/proxy-send-timeout": "{silence}s",
        },
        source="NGINX Ingress Controller: advanced configuration with annotations",
    ),
    "traefik": Controller(
        classes=("traefik.io/ingress-controller",),
        ingress={
            "traefik.ingress.kubernetes.io/router.entrypoints": "websecure",
            "traefik.ingress.kubernetes.io/router.tls": "true",
        },
        # Traefik calls pods by their address, which no certificate names: the transport says which name to expect.
        service={
            "traefik.ingress.kubernetes.io/service.serversscheme": "https",
            "traefik.ingress.kubernetes.io/service.serverstransport": f"{{namespace}}-{TRANSPORT}@kubernetescrd",
        },
        source="Traefik: Kubernetes Ingress, ServersTransport",
    ),
    "haproxy": Controller(
        classes=("haproxy.org/ingress-controller",),
        ingress={
            "haproxy.org/server-ssl": "true",
            "haproxy.org/timeout-server": "{silence}s",
            "haproxy.org/timeout-tunnel": "{silence}s",
        },
        source="HAProxy Kubernetes Ingress Controller: annotations",
    ),
    "haproxy-ingress": Controller(
        classes=("haproxy-ingress.github.io/controller",),
        ingress={
            "haproxy-ingress.github.io/secure-backends": "true",
            "haproxy-ingress.github.io/proxy-body-size": "{body}",
            "haproxy-ingress.github.io/timeout-server": "{silence}s",
            "haproxy-ingress.github.io/timeout-tunnel": "{silence}s",
        },
        source="HAProxy Ingress: configuration keys",
    ),
    "contour": Controller(
        classes=("projectcontour.io/",),
        ingress={
            "projectcontour.io/response-timeout": "infinity",
            "projectcontour.io/websocket-routes": "/",
        },
        service={"projectcontour.io/upstream-protocol.tls": "https"},
        source="Contour: annotations reference",
    ),
}


def kind_of(controller: str) -> Kind | None:
    """The kind by `spec.controller` of an ingress class; None when it is none that we know."""
    return next((kind for kind, each in CONTROLLERS.items() if controller.startswith(each.classes)), None)
