"""The websites at a Gateway of somebody else (Gateway API): routes to the proxy, and TLS on both sides of them.

The Gateway ends TLS, since only so can it tell the proxy who the client is, and speaks TLS to the proxy again
(docs/adr/0023-a-gateway-ends-tls.md).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, meta

from components import content
from components.certificates import HostCertificate
from components.daemon import Site
from components.labels import labels_of
from model.settings import Gateway
from model.topology import PROXY

_GROUP = "gateway.networking.k8s.io"
_HOSTS = 16
"""Most host names of one HTTPRoute (Gateway API: HTTPRouteSpec)."""
_NO_LIMIT = {"request": "0s", "backendRequest": "0s"}
"""Phones wait for 15 minutes, and sockets for hours; the proxy has limits of its own (Gateway API: HTTPRouteTimeouts)."""
_AUTHORITIES = "gateway-authorities"


@dataclass(frozen=True, kw_only=True)
class RoutesArgs:
    """Inputs of Routes. The first of `certificates` is the proxy's; the others are those of hosted `domains`, in their order."""

    gateway: Gateway
    certificates: Sequence[HostCertificate]
    domains: Sequence[str]
    main_namespace: str


class Routes(pulumi.ComponentResource):
    """HTTPRoutes of every web host, and what lets the Gateway and the proxy believe each other."""

    def __init__(
        self, name: str, site: Site, args: RoutesArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kolab:index:Routes", name, {}, opts)
        self._name, self._site, self._args = name, site, args
        for role, hosts in self._by_route():
            self._route(role, hosts, args.gateway.listeners, self._to_proxy())
            if args.gateway.redirect is not None:
                self._route(f"{role}-redirect", hosts, (args.gateway.redirect,), _TO_HTTPS)
        self._backend_tls()
        if args.gateway.certificates == "stack" and args.gateway.namespace != args.main_namespace:
            self._grant()
        self.register_outputs({})

    def _by_route(self) -> Iterator[tuple[str, list[str]]]:
        """A domain with a certificate of its own has a route of its own, which comes and goes with it."""
        own, *hosted = self._args.certificates
        ours = [host for host in own.hosts if host not in self._args.domains]
        for first in range(0, len(ours), _HOSTS):
            role = f"web-{first // _HOSTS + 1}" if first else "web"
            yield role, ours[first : first + _HOSTS]
        for domain, each in zip(self._args.domains, hosted, strict=True):
            yield f"web.{domain}", [*([domain] if domain in own.hosts else []), *each.hosts]

    def _route(
        self, role: str, hosts: Sequence[str], listeners: Sequence[str], rule: Mapping[str, object]
    ) -> None:
        gateway = self._args.gateway
        parent = {"group": _GROUP, "kind": "Gateway", "namespace": gateway.namespace, "name": gateway.name}
        self._object(
            role,
            "HTTPRoute",
            role,
            {
                "parentRefs": [{**parent, "sectionName": listener} for listener in listeners],
                "hostnames": list(hosts),
                "rules": [{"matches": [{"path": {"type": "PathPrefix", "value": "/"}}], **rule}],
            },
        )

    def _to_proxy(self) -> dict[str, object]:
        backend = {
            "group": "",
            "kind": "Service",
            "name": PROXY.name,
            "port": PROXY.port("https").number,
            "weight": 1,
        }
        return {"backendRefs": [backend], "timeouts": dict(_NO_LIMIT)}

    def _backend_tls(self) -> None:
        """Without it a Gateway speaks plain HTTP; with it, to nobody but who has the proxy's certificate."""
        own, *_ = self._args.certificates
        authorities, name = self._args.gateway.authorities, PROXY.name
        believed: dict[str, object] = {"wellKnownCACertificates": "System"}
        if authorities is not None:
            data = {"ca.crt": authorities}
            made = core.v1.ConfigMap(
                f"{self._name}-authorities",
                metadata=self._meta(content.config_name(_AUTHORITIES, data)),
                data=data,
                immutable=True,
                opts=pulumi.ResourceOptions(parent=self),
            )
            believed = {"caCertificateRefs": [{"group": "", "kind": "ConfigMap", "name": made.metadata.name}]}
            # Another object: one that names both is refused, and a preview would leave the word that is dropped.
            name = f"{PROXY.name}-authorities"
        target = {"group": "", "kind": "Service", "name": PROXY.name, "sectionName": "https"}
        spec: dict[str, object] = {
            "targetRefs": [target],
            "validation": {"hostname": own.hosts[0], **believed},
        }
        self._object("backend-tls", "BackendTLSPolicy", name, spec)

    def _grant(self) -> None:
        """Lets Gateways of that namespace read the certificates of web names, and no other Secret."""
        secrets = [{"group": "", "kind": "Secret", "name": each.secret} for each in self._args.certificates]
        gateways = {"group": _GROUP, "kind": "Gateway", "namespace": self._args.gateway.namespace}
        self._object(
            "grant", "ReferenceGrant", "web-certificates", {"from": [gateways], "to": secrets}, "v1beta1"
        )

    def _object(
        self, role: str, kind: str, name: str, spec: Mapping[str, object], version: str = "v1"
    ) -> None:
        apiextensions.CustomResource(
            f"{self._name}-{role}",
            api_version=f"{_GROUP}/{version}",
            kind=kind,
            metadata=self._meta(name),
            spec=dict(spec),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _meta(self, name: pulumi.Input[str]) -> meta.v1.ObjectMetaArgs:
        return meta.v1.ObjectMetaArgs(name=name, namespace=self._site.namespace, labels=labels_of("exposure"))


_TO_HTTPS: Mapping[str, object] = {
    "filters": [
        {
            "type": "RequestRedirect",
            "requestRedirect": {"scheme": "https", "statusCode": 301},
        }
    ]
}
