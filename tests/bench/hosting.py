"""Stacks that publish the records of many hosted domains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from model import identity
from model.settings import Settings
from tests.engine.stacks import example

_OWN: tuple[dict[str, Any], ...] = (
    {"stage": "hold"},
    {"stage": "shadow", "otherMx": [{"host": "mx.old.example", "preference": 10}]},
    {"dmarc": {"policy": "reject", "rua": ["d@{domain}"]}, "senders": {"networks": ["203.0.113.64/26"]}},
    {
        "mtaSts": {"stage": "testing", "since": "2026-01-01"},
        "tlsRpt": "t@{domain}",
        "caa": {"issue": ["pki.goog"]},
    },
)
"""What customers have of their own."""


def hosting(domains: int, *, own: bool = False) -> dict[str, Any]:
    """The example of cluster mode with many hosted domains, each with overrides where they are asked for."""
    config = example("Pulumi.cluster")
    names = [f"h{number}.example.net" for number in range(domains)]
    config["hostedDomains"] = names
    config["dns"] |= {
        "zones": dict.fromkeys((config["domain"], *names), "0" * 32),
        "shard": {"index": 0, "count": 1},
    }
    if own:
        config["domains"] = {name: _of(name, _OWN[number % len(_OWN)]) for number, name in enumerate(names)}
    return config | {"scope": "dns"}


def _of(name: str, given: Any) -> Any:
    if isinstance(given, dict):
        return {key: _of(name, value) for key, value in given.items()}
    if isinstance(given, list):
        return [_of(name, value) for value in given]
    return given.replace("{domain}", name) if isinstance(given, str) else given


def model_and_zones(config: dict[str, Any]) -> Callable[[], int]:
    """Reads the settings and writes every zone file; how many records they have."""

    def work() -> int:
        settings = Settings.model_validate(config)
        found = identity.zones(settings)
        for zone, planned in found.items():
            identity.zone_file(settings, zone, planned)
        return sum(map(len, found.values()))

    return work
