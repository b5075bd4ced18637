"""What can be found out about the cluster and the live domain. Nothing here waits long, and nothing has to answer."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import dns.exception
import dns.resolver

from model.settings import Settings
from model.settings.network import PublicAddresses
from model.topology import public_services
from ops import backend
from ops.new import cluster, outside
from ops.stacks import StackProblem

_TIMEOUT = 3.0
"""Seconds for one question to the resolver."""
_NEEDED = public_services(Settings(mode="cluster", domain="example.org"))
SERVICES = tuple(name for name in PublicAddresses.services() if name in _NEEDED)
"""Public Services that nobody has to switch on: a new stack in cluster mode has an address for each."""


def known_context(text: str) -> str:
    """`text` as a context of the kubeconfig; empty for none. Raises ValueError that lists the contexts."""
    if text in ("", "none"):
        return ""
    names = cluster.contexts()
    if text not in names:
        raise ValueError(
            f"names no context of the kubeconfig; there are {', '.join(names) or 'none'}; write none to go without"
        )
    return text


@dataclass
class World:
    """What is known so far. Empty is what could not be looked up, or is not there."""

    nodes: tuple[str, ...] = ()
    external: dict[str, str] = field(default_factory=dict)
    """Node -> public address that the cluster knows."""
    pools: tuple[str, ...] = ()
    """Ranges of MetalLB."""
    issuers: tuple[str, ...] = ()
    says: dict[str, Any] = field(default_factory=dict)
    """What the stack file has to say of the cluster (model/cluster_page)."""
    may_have_website: bool = True
    """False only when the domain is delegated and has no address."""
    nameservers: tuple[str, ...] = ()
    at_cloudflare: bool = False
    ask_outside: Callable[[], outside.Seen] | None = None
    """Asks by which address the world sees this machine; None where nobody would judge whether that is the server's."""
    from_outside: outside.Seen = field(default_factory=outside.Seen)
    backend: str = field(default_factory=lambda: backend.current() or "")

    def learn(self, key: str, answers: Mapping[str, str]) -> Iterator[str]:
        """Looks at what has just been named, and says what was seen and what was not."""
        if key == "domain" and answers["domain"]:
            yield from self._domain(answers["domain"])
        elif key == "context" and answers["context"]:
            seen = cluster.look(answers["context"])
            self.nodes, self.external = seen.nodes, dict(seen.external)
            self.pools, self.issuers = seen.pools, seen.issuers
            self.says = seen.says
            yield from seen.lines()
        elif key == "mode" and self.ask_outside and not self.external:
            self.from_outside = self.ask_outside()
            yield from self.from_outside.lines

    def network(self, key: str) -> str | None:
        """What the cluster says of a key of kolab:network."""
        found: str | None = self.says.get("network", {}).get(key)
        return found

    def offered(self, *, announced: bool) -> str | None:
        """The address to begin with: the only node's own, else this machine's.

        None for one that MetalLB is to announce: no machine may have it, and what a pool holds is out of reach of the
        pool that a stack makes. Nobody but the operator knows which are left.
        """
        own = (*self.external.values(), self.from_outside.inside, self.from_outside.address)
        return None if announced else next(filter(None, own), None)

    def _domain(self, domain: str) -> Iterator[str]:
        """What the world sees now. Raises nothing."""
        try:
            servers = _ask(domain, "NS")
            website = bool(_ask(domain, "A") or _ask(domain, "AAAA"))
            mx, spf = _ask(domain, "MX"), [t for t in _ask(domain, "TXT") if "v=spf1" in t.lower()]
            dmarc = [t for t in _ask(f"_dmarc.{domain}", "TXT") if "v=dmarc1" in t.lower()]
        except (dns.exception.DNSException, OSError) as error:
            yield f"could not look up {domain}: {type(error).__name__}; answer what you know"
            return
        self.may_have_website = website or not servers
        self.nameservers = tuple(name.lower().rstrip(".") for name in sorted(servers))
        self.at_cloudflare = any(name.endswith(".ns.cloudflare.com.") for name in servers)
        yield f"name servers of {domain}: {', '.join(servers) or 'none, it is not delegated yet'}"
        if mx:
            yield f"mail goes to {', '.join(mx)} today, and goes on doing so: mail.mx.stage begins with hold"
        for text in (*spf, *dmarc):
            yield f"the zone has {text}: join it with ours before you publish, two of a kind void each other"
        if website:
            yield f"{domain} has a website, which stays where it is"


def _ask(name: str, kind: str) -> list[str]:
    """Values; empty when there are none. Raises DNSException when nobody answers."""
    try:
        return [str(answer) for answer in dns.resolver.resolve(name, kind, lifetime=_TIMEOUT)]
    except (dns.resolver.NXDOMAIN, dns.resolver.NoAnswer):
        return []


def refuse_unknown_context(context: str | None) -> None:
    """Raises StackProblem that lists the contexts when the kubeconfig has others only."""
    names = cluster.contexts()
    if context and names and context not in names:
        raise StackProblem(
            f"kolab:kubernetes.context is {context}, which the kubeconfig does not have; its contexts: {', '.join(names)}"
        )
