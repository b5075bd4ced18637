"""What a cluster is, seen with the eyes of a stack: what fits, what is missing, and what the stack file has to say of it.

For people who have no stack file yet. Once there is one, model/rules/cluster judges the two together.
"""

from __future__ import annotations

from typing import Any

from model.cluster_page.load import load
from model.cluster_page.networks import networks
from model.cluster_page.operators import operators
from model.cluster_page.row import Row, Verdict
from model.rules.cluster import ClusterFacts
from model.settings import ClusterDns

__all__ = ["KNOWN_DNS", "Row", "Verdict", "page", "written"]

_OPENSHIFT = ClusterDns(
    namespace="openshift-dns", labels={"dns.operator.openshift.io/daemonset-dns": ("default",)}, ports=(5353,)
)
KNOWN_DNS = (ClusterDns(), _OPENSHIFT)
"""Where clusters keep their DNS: the first that has pods is a cluster's own."""


def page(facts: ClusterFacts, dns: ClusterDns) -> tuple[Row, ...]:
    """All facts. `dns` is where its DNS was looked for."""
    return (*networks(facts, dns), *operators(facts), *load(facts))


def written(rows: tuple[Row, ...]) -> dict[str, Any]:
    """What all rows together write, nested as a stack file is."""
    made: dict[str, Any] = {}
    for row in rows:
        for path, value in row.write.items():
            *parents, last = path.split(".")
            section = made
            for parent in parents:
                section = section.setdefault(parent, {})
            section[last] = value
    return made
