"""The way that mail leaves: from which addresses and nodes, and to whom. An unknown egress has no address."""

from __future__ import annotations

from model.settings import EgressRelay, Settings


def egress_addresses(settings: Settings, *, announced: bool = False) -> tuple[str, ...]:
    """Addresses that our mail leaves from, each once; none when a relay sends for us.

    With `announced`, those of network.announcedEgress too: receivers must know all of them as ours.
    """
    egress = settings.network.egress
    later = settings.network.announced_egress if announced else ()
    return tuple(dict.fromkeys((*(egress.sources if egress else ()), *map(str, later))))


def postfix_nodes(settings: Settings) -> tuple[str, ...]:
    """The only nodes that may run Postfix, since the world knows their addresses; empty when any may."""
    egress = settings.network.egress
    return egress.postfix_nodes if egress else ()


def smarthost(settings: Settings) -> EgressRelay | None:
    """The relay that takes all our mail, if there is one."""
    egress = settings.network.egress
    return egress.smarthost if egress else None


def spf_includes(settings: Settings) -> tuple[str, ...] | None:
    """Domains whose SPF records list sources beside ours; None when the sources of our mail are unknown."""
    egress = settings.network.egress
    return egress.spf_includes if egress else ()
