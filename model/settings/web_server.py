"""Who answers 80 and 443 in place of the proxy, where somebody does."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from model.authorities import Authorities
from model.ingress import Kind
from model.settings.base import Section
from model.texts import Label, ObjectName
from model.types import Addresses, Network


class Ingress(Section):
    """An Ingress controller in front of the web part. Mail ports stay with the proxy."""

    class_name: ObjectName
    """Ingress class of the controller."""
    controller: Kind = "ingress-nginx"
    """Which controller it is: each is told in words of its own how large mail is and how long a phone waits. k3s: traefik."""
    namespace: Label
    """Namespace of the controller's pods: X-Forwarded-For is believed from there alone."""
    controller_cidr: Network
    """Addresses of the controller's pods, for the proxy's real-IP module and TRUSTED_PROXIES."""
    addresses: Addresses = ()
    """Public addresses of the controller: A and AAAA of every web name. Mail names keep the proxy's address."""

    @property
    def pods(self) -> str:
        """Namespace of the pods that answer in the proxy's place."""
        return self.namespace


class Gateway(Section):
    """A Gateway (Gateway API) in front of the web part, which somebody else has made. Mail ports stay with the proxy."""

    name: ObjectName
    """Name of the Gateway."""
    namespace: Label
    """Namespace of the Gateway."""
    listeners: Annotated[tuple[ObjectName, ...], Field(min_length=1, max_length=32)]
    """Names of its listeners that end TLS (protocol HTTPS): the websites are attached to these, and to no other."""
    redirect: ObjectName | None = None
    """Name of its listener on port 80, from which browsers are sent to HTTPS. Left out: nobody answers for us there."""
    certificates: Literal["stack", "gateway"] = "stack"
    """Whose certificates its listeners show. `stack`: those of the proxy and of hosted domains, which they name and which it is allowed to read (a ReferenceGrant). `gateway`: its own, for every web name."""
    authorities: Authorities | None = None
    """Certificates (PEM) of the authorities that vouch for the proxy's certificate, if these are no public ones: the Gateway speaks TLS to the proxy and believes them alone."""
    controller_namespace: Label
    """Namespace of the pods that serve the Gateway: X-Forwarded-For is believed from there alone."""
    controller_cidr: Network
    """Addresses of these pods, for the proxy's real-IP module."""
    addresses: Addresses = ()
    """Public addresses of the Gateway: A and AAAA of every web name. Mail names keep the proxy's address."""

    @property
    def pods(self) -> str:
        """Namespace of the pods that answer in the proxy's place."""
        return self.controller_namespace
