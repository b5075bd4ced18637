"""How an issuer of cert-manager proves names to an authority: which of its solvers answers for which name."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, kw_only=True)
class Solver:
    """One solver of an ACME issuer, and the names that it is for."""

    http: bool
    names: tuple[str, ...] = ()
    zones: tuple[str, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)

    @classmethod
    def read(cls, spec: Mapping[str, Any]) -> Solver:
        """What stands in `spec.acme.solvers` of an issuer."""
        selector = spec.get("selector") or {}
        return cls(
            http="http01" in spec,
            names=tuple(selector.get("dnsNames") or ()),
            zones=tuple(selector.get("dnsZones") or ()),
            labels=selector.get("matchLabels") or {},
        )

    def rank(self, name: str, labels: Mapping[str, str]) -> tuple[bool, int, int] | None:
        """How well it fits: an exact name first, then the longest zone, then the most labels. None if it does not.

        Whatever of names, zones and labels its selector has must fit, each for itself.
        Source: cert-manager, pkg/util/solverpicker and pkg/controller/acmeorders/selectors.
        """
        exact = name in self.names
        zone = max((_shared(zone, name) for zone in self.zones), default=0)
        labelled = all(labels.get(key) == value for key, value in self.labels.items())
        if (self.names and not exact) or (self.zones and not zone) or not labelled:
            return None
        return exact, zone, len(self.labels)


def _shared(zone: str, name: str) -> int:
    """How many labels a zone has that holds a name; 0 for one that does not."""
    wanted = zone.rstrip(".").lower().split(".")
    return len(wanted) if name.lower().split(".")[-len(wanted) :] == wanted else 0


@dataclass(frozen=True, kw_only=True)
class Issuer:
    """An issuer that is there. No `solvers`: it is none of ACME, and asks nobody about names."""

    ready: bool
    solvers: tuple[Solver, ...] = ()

    @classmethod
    def read(cls, found: Mapping[str, Any]) -> Issuer:
        """The object as the cluster has it."""
        conditions = (found.get("status") or {}).get("conditions") or ()
        acme = (found.get("spec") or {}).get("acme") or {}
        return cls(
            ready=not any(c.get("type") == "Ready" and c.get("status") == "False" for c in conditions),
            solvers=tuple(Solver.read(each) for each in acme.get("solvers") or ()),
        )

    def unproven(self, names: Iterable[str], labels: Mapping[str, str]) -> list[str]:
        """Those of `names` that no solver is for; `labels` are those of the Certificate."""
        return [n for n in names if self.solvers and self._chosen(n, labels) is None]

    def by_http(self, names: Iterable[str], labels: Mapping[str, str]) -> list[str]:
        """Those of `names` that it proves by a file on port 80 of the name (HTTP-01)."""
        return [n for n in names if (found := self._chosen(n, labels)) is not None and found.http]

    def _chosen(self, name: str, labels: Mapping[str, str]) -> Solver | None:
        ranked = [(rank, s) for s in self.solvers if (rank := s.rank(name, labels)) is not None]
        # Of equals the first, as max gives it.
        return max(ranked, key=lambda each: each[0])[1] if ranked else None
