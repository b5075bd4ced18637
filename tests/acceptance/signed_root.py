"""The lab's internet with DNSSEC: a root that is signed, and below it the zones of receivers who name their keys, or do not."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.acceptance.configs import HEAD
from tests.lab.cluster import Lab
from tests.support.postfix import named_key
from tests.support.resolver import anchor, signed

_SERVER = "ns.invalid."


@dataclass(frozen=True)
class Receiver:
    """A domain whose one server is the client of the lab's internet."""

    names: str = ""
    """Whose key its zone names: an identity of `publish`; empty: nobody's."""
    signed: bool = True
    holds: bool = True
    """Whether the signature of what leads to its server is that of what is there now."""


def publish(lab: Lab, folder: Path, receivers: Mapping[str, Receiver], identities: Mapping[str, str]) -> str:
    """Loads the zones of these domains and a root that vouches for those that are signed. All other zones stay as they
    are, delegated and unsigned, so that validation changes nothing about them.

    The DS record of the root's key, as `mail.outbound.trustAnchors` has it. `restore` takes it all back.
    """
    internet = lab.internet
    zones, vouched = {}, ""
    for domain, receiver in receivers.items():
        text = _zone(domain, receiver, internet.address, identities)
        if receiver.signed:
            text, ds = signed(folder / domain, domain, text)
            vouched += ds
        zones[domain] = text if receiver.holds else _forged(text)
    internet.dns.load(zones)
    cuts = "".join(f"{zone}. IN NS {_SERVER}\n" for zone in internet.dns.zones)
    head = f"$TTL 1\n@ IN SOA {_SERVER} hostmaster.invalid. 1 3600 600 86400 1\n@ IN NS {_SERVER}\n"
    text, ds = signed(folder / "root", ".", f"{head}{_SERVER} IN A {internet.dns.address}\n{cuts}{vouched}")
    internet.dns.root(text)
    return anchor(ds)


def restore(lab: Lab) -> None:
    """The root that delegates nothing, and to which every zone is known all the same."""
    lab.internet.dns.root(None)


def _zone(domain: str, receiver: Receiver, address: str, identities: Mapping[str, str]) -> str:
    text = f"{HEAD}@ IN MX 10 mail.{domain}.\nmail IN A {address}\n"
    return (
        text + f"_25._tcp.mail IN TLSA {named_key(identities[receiver.names])}\n" if receiver.names else text
    )


def _forged(text: str) -> str:
    """Another preference than the one that was signed: whoever rewrites answers on their way does no less."""
    forged, number = re.subn(r"(MX\s+)10 ", r"\g<1>20 ", text)
    assert number == 1, text
    return forged
