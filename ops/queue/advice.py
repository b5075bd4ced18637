"""What to do about the reason for which a message waits."""

from __future__ import annotations

import re
from collections.abc import Sequence

_ADVICE: Sequence[tuple[str, str]] = (
    (r"^held:", "./kolab queue release <id> lets it go on; ./kolab queue delete <id> throws it away."),
    (r"^being delivered|^has just come|^not tried", "Nothing to do yet."),
    (r"deferred transport", "Delivery rests: ./kolab maintenance off begins it again."),
    (
        r"imap|lmtp|11024",
        "Cyrus does not take it: ./kolab status shows its pod, ./kolab logs imap why; then ./kolab queue requeue <id>.",
    ),
    (
        r"127\.0\.0\.1.*(1302\d|refused)|amavis",
        "Amavis does not answer: ./kolab logs amavis; mail goes on by itself when it does.",
    ),
    (
        r"timed out|Network is unreachable|No route",
        "The other server does not answer, or port 25 is closed outwards: ./kolab doctor looks at that.",
    ),
    (
        r"PTR|reverse|rDNS|blocked|listed|spamhaus|reputation",
        "The receiver does not trust our address: ./kolab doctor names what is missing; then the receiver's own form.",
    ),
    (
        r"[Gg]rey ?list|try again later|4\.7\.1",
        "The receiver wants us to come again: Postfix does, for five days.",
    ),
    (
        r"Host or domain name not found|Name service|SERVFAIL",
        "The name of the receiver's server cannot be found: a typing error in the address, its DNS is down, or its signatures are wrong.",
    ),
    (
        r"[Qq]uota|mailbox.*full|over quota|4\.2\.2",
        "A mailbox is full; more room: ./kolab user quota.",
    ),
    (
        r"certificate not (verified|trusted)|DANE|TLSA",
        "The server does not show the key that its zone names: ask its postmaster; docs/how-to/demand-published-keys.md tells how to exempt it.",
    ),
    (
        r"TLS|certificate|handshake",
        "No trusted TLS with the receiver: its certificate, or its policy, is wrong.",
    ),
)


def advice(reason: str) -> str:
    """What to do about a reason, by the words that servers use."""
    for pattern, said in _ADVICE:
        if re.search(pattern, reason):
            return said
    return "The words are the other server's; Postfix goes on trying for five days."
