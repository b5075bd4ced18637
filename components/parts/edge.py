"""What stands between the daemons and the world: certificates, addresses, NetworkPolicies."""

from __future__ import annotations

import pulumi

from components.certificates import Certificates, CertificatesArgs, HostCertificate, StableKey
from components.cilium import Cilium, CiliumArgs
from components.composition import Composition
from components.exposure import Exposure, ExposureArgs, WebsiteArgs
from components.policies import IngressControllers, Policies, PoliciesArgs
from components.routes import Routes, RoutesArgs
from model import topology
from model.identity.http01 import certified
from model.secrets import acme_token
from model.settings import Settings


def certificates(stack: Composition) -> Certificates:
    """The certificates of the public names."""
    token, names = acme_token(stack.settings), certified(stack.settings)
    args = CertificatesArgs(
        tls=stack.settings.tls,
        proxy=names.proxy,
        mx=names.mx,
        sieve=names.sieve,
        domains=names.domains,
        cloudflare_token=stack.secret(token) if token else None,
        mx_key=StableKey(stack.secret("mxKey"), stack.settings.tlsa.current) if stack.settings.tlsa else None,
    )
    return Certificates("certificates", stack.site, args, stack.child())


def policies(stack: Composition, logs: pulumi.Output[str] | None) -> None:
    """Who may talk to whom. `logs` is the namespace of the log collector, if there is one."""
    settings = stack.settings
    public, inside = topology.public_addresses(settings), topology.load_balancer_addresses(settings)

    def reached(service: str) -> list[str]:
        found = (*inside.get(service, ()), *public.get(service, ()))
        return [f"{address}/{128 if ':' in address else 32}" for address in dict.fromkeys(found)]

    controllers = None
    if settings.network.web_server is not None:
        _, server = settings.network.web_server
        controllers = IngressControllers(
            server.pods,
            str(server.controller_cidr),
            [f"{address}/32" for address in server.addresses if address.version == 4],
            topology.controller_ports(settings),
        )
    args = PoliciesArgs(
        daemons=topology.daemons(settings),
        connections=topology.connections(settings),
        public=topology.public_ports(settings),
        doors=_doors(settings),
        reached_at={topology.PROXY: reached("proxy"), topology.MEET: reached("meet")},
        readers=topology.readers(settings),
        elsewhere=(topology.VECTOR,),
        logs_namespace=f"{settings.kubernetes.namespace}-logs",
        main_namespace=settings.kubernetes.namespace,
        controllers=controllers,
        solvers=topology.solvers(settings),
    )
    Policies("policies", stack.site, logs, args, stack.child())
    if settings.network.cni == "cilium":
        found = CiliumArgs(connections=topology.node_connections(settings), elsewhere=(topology.VECTOR,))
        Cilium("cilium", stack.site, logs, found, stack.child())


def expose(stack: Composition, certificates: Certificates) -> None:
    """Public ports on public addresses; with hostPort the pods open them themselves."""
    network = stack.settings.network
    if network.gateway is not None:
        routes = RoutesArgs(
            gateway=network.gateway,
            certificates=_shown(stack, certificates),
            domains=[*certificates.domains],
            main_namespace=stack.settings.kubernetes.namespace,
        )
        Routes("routes", stack.site, routes, stack.child())
    opened_by_pods = network.load_balancer == "hostPort"
    if opened_by_pods and network.ingress is None:
        return
    args = ExposureArgs(
        ports=() if opened_by_pods else topology.public_ports(stack.settings),
        addresses=topology.load_balancer_addresses(stack.settings),
        shared=stack.settings.single_node,
        metallb_namespace=network.metallb.namespace,
        interfaces=network.metallb.interfaces,
        namespace_name=stack.settings.kubernetes.namespace,
        website=_website(stack, certificates),
    )
    Exposure("exposure", stack.site, args, stack.child())


def _website(stack: Composition, certificates: Certificates) -> WebsiteArgs | None:
    ingress, told = stack.settings.network.ingress, stack.told()
    if ingress is None or told is None:
        return None
    return WebsiteArgs(
        ingress=ingress,
        told=told,
        certificates=_shown(stack, certificates),
        own_authority=stack.settings.tls.issuer == "selfSigned",
    )


def _shown(stack: Composition, certificates: Certificates) -> list[HostCertificate]:
    """What each web host shows: the proxy's certificate first, then those of hosted domains."""
    hosted = [*certificates.domains.values()]
    elsewhere = {host for each in hosted for host in each.hosts}
    own = [host for host in stack.names.web if host not in elsewhere]
    return [HostCertificate(own, certificates.proxy), *hosted]


def _doors(settings: Settings) -> dict[str, list[str]]:
    """Public Services that are not for everybody: the others' doors are hosts, which the proxy tells apart."""
    sieve = settings.network.doors.sieve
    return {} if sieve is None else {"sieve": [*map(str, sieve)]}
