"""What the shipped examples hold and nobody may deploy: public halves of keys that are thrown away, ids of nobody."""

from __future__ import annotations

import hashlib

KEYS = frozenset(
    (
        "46c4c1268179a48734b1c7dbb6c52a5617bcea40112f50e0ef38192663284163",
        "04c0851b7f3a24207cbcbe36cf96d5eb5527b7db8cffcce9278349320b4ba9b2",
        "5dcb0617ca81e86bb984776dcfd6559361743d6f3fd424b495b0af033152ad5f",
        "ae11e7906738297dce0d284fee1b2de83ac222fc17b47ee67bea4461255f4a69",
        "3e7903efc30488942c179ee01b255bc2f74cfac6566148857a1f4356552b7429",
        "69048e5d4995b2209060f1926b905773910fc0ec625e3eb7c4c51b368772e722",
        "77f5d4c3bb26ab47651077a9063f78df1202e27841072e01b175f6aafc440566",
    )
)
"""SHA-256 of each public half in stacks/, without its white space."""

ACCOUNT = "https://acme-v02.api.letsencrypt.org/acme/acct/1234567890"
"""The ACME account that nobody has."""

ZONE_IDS = frozenset(("0123456789abcdef0123456789abcdef", "fedcba9876543210fedcba9876543210"))
"""Zone ids at Cloudflare that nobody has."""


def is_shipped_key(public: str | None) -> bool:
    """Whether a public half is one of the examples', whose private half nobody has."""
    return public is not None and hashlib.sha256("".join(public.split()).encode()).hexdigest() in KEYS
