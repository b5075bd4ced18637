"""MetalLB as a cluster has it: its release, and what its pools hold."""

from __future__ import annotations

import ipaddress
import re

from model.images import tag_of

_LEAST = (0, 14, 9)
"""The first release that knows the annotations which we write (MetalLB: release notes)."""


def release(image: str) -> str:
    """The release that an image of its controller is tagged with; empty for one that shows none."""
    return tag_of(image).removeprefix("v")


def too_old(image: str) -> str | None:
    """The release that MetalLB has to reach, if this image of its controller is older; None for what shows no number."""
    found = re.match(r"(\d+)\.(\d+)\.(\d+)", release(image))
    old = found is not None and tuple(map(int, found.groups())) < _LEAST
    return ".".join(map(str, _LEAST)) if old else None


def holds(entry: str, address: str) -> bool:
    """Whether an entry of a pool, `first-last` or `network/length`, holds an address. What is neither holds none.

    Source: MetalLB, internal/config, ParseCIDR.
    """
    found = ipaddress.ip_address(address)
    try:
        if "-" in entry:
            first, last = (ipaddress.ip_address(end.strip()) for end in entry.split("-"))
        else:
            network = ipaddress.ip_network(entry.strip(), strict=False)
            first, last = network[0], network[-1]
    except ValueError:
        return False
    return int(first) <= int(found) <= int(last) and first.version == found.version == last.version
