"""Whose address a request comes from, by the real application's rules."""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Mapping

_DEFAULT = "10.0.0.0/8,127.0.0.1/8,172.16.0.0/12,192.168.0.0/16"


def trusted(address: str) -> bool:
    """Whether forwarded headers of this peer are believed."""
    setting = os.environ.get("TRUSTED_PROXIES", _DEFAULT)
    if setting == "*":
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    networks = [
        ipaddress.ip_network(part.strip(), strict=False) for part in setting.split(",") if part.strip()
    ]
    return any(parsed in network for network in networks)


def address(peer: str, headers: Mapping[str, str]) -> str:
    """The client: X-Client-IP from a trusted peer wins, then the last address that is no trusted hop."""
    if not trusted(peer):
        return peer
    if told := headers.get("X-Client-IP"):
        return told
    hops = [hop.strip() for hop in headers.get("X-Forwarded-For", "").split(",") if hop.strip()]
    for hop in reversed(hops):
        if not trusted(hop):
            return hop
    return hops[0] if hops else peer
