"""Ingress controllers that this stack knows: what each must be told so that it carries what mail people send.

Unless told, most of them cut a body at 1 MiB and a connection after a minute of silence. A phone's ActiveSync ping is
silent for up to 15 minutes, and so are sockets of documents and conferences.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
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
    """One kind of controller. `classes` begin what stands in `spec.controller` of its ingress classes."""

    classes: tuple[str, ...]
    told: Callable[[str, str, int], Told]
    """From the Service's name, the namespace, and the largest body in bytes."""
    source: str


def _ingress_nginx(service: str, namespace: str, body: int) -> Told:
    at = "nginx.ingress.kubernetes.io"
    return Told(
        ingress={
            f"{at}/backend-protocol": "HTTPS",
            f"{at}/proxy-body-size": str(body),
            f"{at}/proxy-request-buffering": "off",
            f"{at}/proxy-read-timeout": str(SILENCE),
            f"{at}/proxy-send-timeout": str(SILENCE),
        },
        service={},
    )


def _nginx(service: str, namespace: str, body: int) -> Told:
    return Told(
        ingress={
            "nginx.org/ssl-services": service,
            "nginx.org/websocket-services": service,
            "nginx.org/client-max-body-size": str(body),
            "nginx.org/proxy-read-timeout": f"{SILENCE}s",
            "nginx.org/proxy-send-timeout": f"{SILENCE}s",
        },
        service={},
    )


def _traefik(service: str, namespace: str, body: int) -> Told:
    at = "traefik.ingress.kubernetes.io"
    return Told(
        ingress={f"{at}/router.entrypoints": "websecure", f"{at}/router.tls": "true"},
        # Traefik calls pods by their address, which no certificate names: the transport says which name to expect.
        service={
            f"{at}/service.serversscheme": "https",
            f"{at}/service.serverstransport": f"{namespace}-{TRANSPORT}@kubernetescrd",
        },
    )


def _haproxy(service: str, namespace: str, body: int) -> Told:
    return Told(
        ingress={
            "haproxy.org/server-ssl": "true",
            "haproxy.org/timeout-server": f"{SILENCE}s",
            "haproxy.org/timeout-tunnel": f"{SILENCE}s",
        },
        service={},
    )


def _haproxy_ingress(service: str, namespace: str, body: int) -> Told:
    at = "haproxy-ingress.github.io"
    return Told(
        ingress={
            f"{at}/secure-backends": "true",
            f"{at}/proxy-body-size": str(body),
            f"{at}/timeout-server": f"{SILENCE}s",
            f"{at}/timeout-tunnel": f"{SILENCE}s",
        },
        service={},
    )


def _contour(service: str, namespace: str, body: int) -> Told:
    return Told(
        ingress={
            "projectcontour.io/response-timeout": "infinity",
            "projectcontour.io/websocket-routes": "/",
        },
        service={"projectcontour.io/upstream-protocol.tls": "https"},
    )


CONTROLLERS: Mapping[Kind, Controller] = {
    "ingress-nginx": Controller(
        classes=("k8s.io/ingress-nginx",),
        told=_ingress_nginx,
        source="ingress-nginx: user guide, annotations",
    ),
    "nginx": Controller(
        classes=("nginx.org/ingress-controller",),
        told=_nginx,
        source="NGINX Ingress Controller: advanced configuration with annotations",
    ),
    "traefik": Controller(
        classes=("traefik.io/ingress-controller",),
        told=_traefik,
        source="Traefik: Kubernetes Ingress, ServersTransport",
    ),
    "haproxy": Controller(
        classes=("haproxy.org/ingress-controller",),
        told=_haproxy,
        source="HAProxy Kubernetes Ingress Controller: annotations",
    ),
    "haproxy-ingress": Controller(
        classes=("haproxy-ingress.github.io/controller",),
        told=_haproxy_ingress,
        source="HAProxy Ingress: configuration keys",
    ),
    "contour": Controller(
        classes=("projectcontour.io/",),
        told=_contour,
        source="Contour: annotations reference",
    ),
}


def kind_of(controller: str) -> Kind | None:
    """The kind by `spec.controller` of an ingress class; None when it is none that we know."""
    return next((kind for kind, each in CONTROLLERS.items() if controller.startswith(each.classes)), None)
