"""The way in: each public port on a load-balancer address that shows daemons who really calls.

externalTrafficPolicy is Local, always. With Cluster the source becomes a node's address: SPF, greylisting and rate
limits judge the node, and a daemon that trusts the node's network relays for the world.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi
from pulumi_kubernetes import apiextensions, core, meta, networking

from components.certificates import HostCertificate
from components.daemon import Site
from components.labels import labels_of, selector_of
from components.pods import EDGE_LABEL
from model.ingress import TRANSPORT, Told
from model.settings import Ingress
from model.topology import PROXY, PublicPort

_SHARING_KEY = "kolab"


@dataclass(frozen=True, kw_only=True)
class WebsiteArgs:
    """The websites behind an Ingress controller. The first of `certificates` is the proxy's."""

    ingress: Ingress
    told: Told
    certificates: Sequence[HostCertificate]
    own_authority: bool
    """Whether the certificate of the proxy was signed by an authority that only its Secret knows."""


@dataclass(frozen=True, kw_only=True)
class ExposureArgs:
    """Inputs of Exposure. `addresses` maps each public Service to its addresses, IPv4 first. No `ports`: pods open them."""

    ports: Sequence[PublicPort]
    addresses: Mapping[str, Sequence[str]]
    shared: bool
    metallb_namespace: str
    interfaces: Sequence[str]
    namespace_name: str
    website: WebsiteArgs | None


class Exposure(pulumi.ComponentResource):
    """MetalLB's pool and the LoadBalancer Services, one for each address that cluster mode has."""

    def __init__(
        self, name: str, site: Site, args: ExposureArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__("kolab:index:Exposure", name, {}, opts)
        self._name, self._site = name, site
        if args.ports:
            pool = self._pool(args)
            for service in dict.fromkeys(port.service for port in args.ports):
                self._service(service, args, pool)
        if args.website:
            self._ingress(args.website)
        self.register_outputs({})

    def _pool(self, args: ExposureArgs) -> pulumi.Resource:
        owned = sorted({address for found in args.addresses.values() for address in found})
        metadata = meta.v1.ObjectMetaArgs(
            name=args.namespace_name, namespace=args.metallb_namespace, labels=labels_of("exposure")
        )
        pool = apiextensions.CustomResource(
            f"{self._name}-pool",
            api_version="metallb.io/v1beta1",
            kind="IPAddressPool",
            metadata=metadata,
            spec={
                "addresses": [f"{address}/{128 if ':' in address else 32}" for address in owned],
                # Nobody else's Service may take an address whose reputation is ours.
                "autoAssign": False,
                "serviceAllocation": {"priority": 10, "namespaces": [args.namespace_name]},
            },
            opts=pulumi.ResourceOptions(parent=self),
        )
        advertisement: dict[str, object] = {"ipAddressPools": [args.namespace_name]}
        if args.interfaces:
            advertisement["interfaces"] = list(args.interfaces)
        apiextensions.CustomResource(
            f"{self._name}-advertisement",
            api_version="metallb.io/v1beta1",
            kind="L2Advertisement",
            metadata=metadata,
            spec=advertisement,
            opts=pulumi.ResourceOptions(parent=self, depends_on=[pool]),
        )
        return pool

    def _service(self, service: str, args: ExposureArgs, pool: pulumi.Resource) -> None:
        ports = [port for port in args.ports if port.service == service]
        addresses = args.addresses[service]
        annotations = {
            "metallb.io/loadBalancerIPs": ",".join(addresses),
            # Ready when the address is there: pods come later, and some never on this node.
            "pulumi.com/waitFor": "jsonpath={.status.loadBalancer.ingress}",
        }
        if args.shared:
            annotations["metallb.io/allow-shared-ip"] = _SHARING_KEY
        # MetalLB shares an address between Services with the very same selector only. Named target ports then
        # lead each port to the pods that have a port of that name.
        selector = dict(EDGE_LABEL) if args.shared else selector_of(ports[0].daemon.name)
        dual = len(addresses) > 1
        core.v1.Service(
            f"{self._name}-{service}",
            metadata=meta.v1.ObjectMetaArgs(
                name=f"public-{service}",
                namespace=self._site.namespace,
                labels=labels_of("exposure"),
                annotations=annotations,
            ),
            spec=core.v1.ServiceSpecArgs(
                type="LoadBalancer",
                external_traffic_policy="Local",
                allocate_load_balancer_node_ports=False,
                ip_family_policy="RequireDualStack" if dual else "SingleStack",
                ip_families=["IPv4", "IPv6"] if dual else ["IPv4"],
                selector=selector,
                ports=[
                    core.v1.ServicePortArgs(
                        name=f"{port.target.name}",
                        port=port.number,
                        target_port=port.target.name,
                        protocol=port.target.protocol,
                    )
                    for port in ports
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self, depends_on=[pool]),
        )

    def _ingress(self, website: WebsiteArgs) -> None:
        backend = networking.v1.IngressBackendArgs(
            service=networking.v1.IngressServiceBackendArgs(
                name=PROXY.name, port=networking.v1.ServiceBackendPortArgs(name="https")
            )
        )
        path = networking.v1.HTTPIngressPathArgs(path="/", path_type="Prefix", backend=backend)
        if website.ingress.controller == "traefik":
            self._transport(website)
        networking.v1.Ingress(
            f"{self._name}-web",
            metadata=meta.v1.ObjectMetaArgs(
                name="web",
                namespace=self._site.namespace,
                labels=labels_of("exposure"),
                # The proxy speaks HTTPS and sets X-Forwarded-Proto itself.
                annotations={"pulumi.com/skipAwait": "true", **website.told.ingress},
            ),
            spec=networking.v1.IngressSpecArgs(
                ingress_class_name=website.ingress.class_name,
                tls=[
                    networking.v1.IngressTLSArgs(hosts=list(each.hosts), secret_name=each.secret)
                    for each in website.certificates
                ],
                rules=[
                    networking.v1.IngressRuleArgs(
                        host=host, http=networking.v1.HTTPIngressRuleValueArgs(paths=[path])
                    )
                    for each in website.certificates
                    for host in each.hosts
                ],
            ),
            opts=pulumi.ResourceOptions(parent=self),
        )

    def _transport(self, website: WebsiteArgs) -> None:
        """Tells Traefik which name the certificate of the proxy has; it calls pods by their address otherwise."""
        own, *_ = website.certificates
        spec: dict[str, object] = {"serverName": own.hosts[0]}
        if website.own_authority:
            spec["rootCAsSecrets"] = [own.secret]
        apiextensions.CustomResource(
            f"{self._name}-transport",
            api_version="traefik.io/v1alpha1",
            kind="ServersTransport",
            metadata=meta.v1.ObjectMetaArgs(
                name=TRANSPORT, namespace=self._site.namespace, labels=labels_of("exposure")
            ),
            spec=spec,
            opts=pulumi.ResourceOptions(parent=self),
        )
