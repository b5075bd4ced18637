"""DNSSEC on the lab's internet: zones signed with keys that stay as long as the lab does."""

from __future__ import annotations

import hashlib
from pathlib import Path

from tests.lab.processes import run

_ALGORITHM = "ECDSAP256SHA256"


class SignedZones:
    """Signs zone files. What was signed once is not signed again."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def file(self, zone: str, text: str) -> Path:
        """The zone with its signatures. The root is called `.`."""
        folder = self._of(zone)
        # The name says of what: a change back costs nothing.
        signed = folder / hashlib.sha256(text.encode()).hexdigest()
        if not signed.exists():
            self.key(zone)
            plain = folder / "plain"
            plain.write_text(text)
            run(
                [
                    *("dnssec-signzone", "-S", "-z", "-3", "-"),
                    *("-K", folder, "-d", folder, "-o", zone, "-f", signed, plain),
                ]
            )
        return signed

    def ds(self, zone: str, owner: str | None = None) -> str:
        """The DS record that leads to the zone's key, as zone files write it; at another name it is nobody's."""
        found = run(["dnssec-dsfromkey", "-2", self.key(zone)])
        return found if owner is None else f"{owner}. {found.partition(' ')[2]}"

    def key(self, zone: str) -> Path:
        """The zone's one key, which signs everything in it."""
        folder = self._of(zone)
        folder.mkdir(parents=True, exist_ok=True)
        if not (found := list(folder.glob("K*.key"))):
            run(["dnssec-keygen", "-q", "-K", folder, "-a", _ALGORITHM, "-f", "KSK", zone])
            found = list(folder.glob("K*.key"))
        return found[0]

    def _of(self, zone: str) -> Path:
        return self._folder / (zone.rstrip(".") or "root")
