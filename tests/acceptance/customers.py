"""A hundred customers whose domains are in zones of their own: each publishes what the stack asks of its owner."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from model import identity
from tests.acceptance.configs import HEAD
from tests.acceptance.stack import Stack
from tests.lab.acme import ISSUER, Acme
from tests.lab.cluster import Lab

NUMBER = 100
_ALL_SECONDS = 1200
_LEFT = {"rule": "domain-lost", "reason": "they have moved on"}
_KUBELET_SECONDS = 600
"""A Secret is in the volume of a pod a minute or so after it has changed; later on a machine that has much to do."""


@dataclass(frozen=True)
class Customers:
    """Their domains, and the authority that proves them. `silent` has not published what it was asked for."""

    stack: Stack
    acme: Acme
    domains: tuple[str, ...]
    silent: str

    @property
    def careful(self) -> tuple[str, ...]:
        """All but the silent one."""
        return tuple(each for each in self.domains if each != self.silent)

    def certificate(self, name: str) -> dict[str, Any]:
        """A Certificate as the cluster has it."""
        found: dict[str, Any] = self.stack.get("certificate", name)
        return found

    def ready(self) -> set[str]:
        """Names of the Certificates that are issued."""
        return {name for name, there in self._certificates().items() if there}

    def issued(self) -> None:
        """Until everybody has a certificate who can have one, the stack's own hosts included."""

        def missing() -> list[str]:
            return sorted(
                name
                for name, there in self._certificates().items()
                if not there and name != f"tls.{self.silent}"
            )

        assert len(self._certificates()) > NUMBER
        _until_none(missing, "certificates are missing", seconds=_ALL_SECONDS, more=self.failures)

    def _certificates(self) -> dict[str, bool]:
        """Name -> whether it is issued."""
        return {
            each["metadata"]["name"]: any(
                c["type"] == "Ready" and c["status"] == "True" for c in _conditions(each)
            )
            for each in self.stack.get("certificates")["items"]
        }

    def failures(self) -> list[str]:
        """What the authority said of names that it did not find proven, each with the name."""
        return [
            f"{each['spec']['dnsName']}: {each['status']['reason']}"
            for each in self.stack.get("challenges")["items"]
            if each.get("status", {}).get("reason")
        ]

    def renew(self, name: str) -> None:
        """As `cmctl renew` does."""
        found = self.certificate(name)
        asked = {
            "type": "Issuing",
            "status": "True",
            "reason": "ManuallyTriggered",
            "message": "somebody wants a new one",
            "lastTransitionTime": found["metadata"]["creationTimestamp"],
        }
        status = {"status": {"conditions": [*_conditions(found), asked]}}
        line = ("patch", "certificate", name, "--subresource=status", "--type=merge", "-p")
        self.stack.kubectl(*line, json.dumps(status))

    def shown(self, *hosts: str) -> dict[str, str]:
        """Host -> serial number of the certificate that a browser is shown there, or `refused: ...`."""
        lines = self.stack.client("shown", *hosts, seconds=300).splitlines()
        return {host: rest for host, _, rest in (line.partition(" ") for line in lines)}

    def shows(self, wanted: Mapping[str, str], *, other: bool = False) -> dict[str, str]:
        """Until each of these hosts shows this certificate, or with `other` a good one that is another; then what is shown."""
        found: dict[str, str] = {}

        def missing() -> list[str]:
            found.update(self.shown(*wanted))
            return [
                f"{host}: {found[host]}"
                for host, serial in wanted.items()
                if found[host].startswith("refused") or (found[host] == serial) == other
            ]

        _until_none(missing, "not shown", seconds=_KUBELET_SECONDS)
        return found


@contextmanager
def customers(stack: Stack, lab: Lab, *, by: str) -> Iterator[Customers]:
    """They come, and names are proven by `by`, a solver of Acme; at the end all is as before."""
    before, acme = stack.program.config(), Acme(lab)
    domains = tuple(f"customer{number:03}.test" for number in range(NUMBER))
    made = Customers(stack, acme, domains, silent=domains[NUMBER // 2])
    authority = stack.authority
    with acme.working():
        acme.issue_by(getattr(acme, by))
        stack.program.change(
            {
                "hostedDomains": [*before["kolab:hostedDomains"], *domains],
                "tls": {"issuer": "existing", "name": ISSUER, "challenge": by.removesuffix("01")},
            }
        )
        stack.publish()
        lab.internet.dns.load(_zones(made) | _servers(made, lab))
        authority.write_bytes(acme.root())
        try:
            yield made
        finally:
            stack.program.write({**before, "kolab:acknowledge": [*before["kolab:acknowledge"], _LEFT]})
            # Whoever answers for the stack afterwards may be somebody else than before.
            authority.unlink()
    stack.apply()
    stack.program.write(before)
    stack.apply()
    stack.publish()


def _zones(made: Customers) -> dict[str, str]:
    """What owners of foreign domains have published: their sheet. The silent one has no zone, into which cert-manager could write
    by itself here."""
    sheets = identity.cname_sheet(made.stack.settings)
    return {domain: HEAD + "".join(f"{record}\n" for record in sheets[domain]) for domain in made.careful}


def _servers(made: Customers, lab: Lab) -> dict[str, str]:
    """Where the stack says that its zones are served: cert-manager asks all of them whether a record has spread."""
    zones: dict[str, str] = {}
    for server in made.stack.settings.dns.nameservers:
        zone = server.partition(".")[2]
        zones[zone] = zones.get(zone, HEAD) + f"{server}. IN A {lab.settings.internet_dns}\n"
    return zones


def _until_none(
    missing: Callable[[], Sequence[str]],
    what: str,
    *,
    seconds: float,
    more: Callable[[], Sequence[str]] = list,
) -> None:
    end = time.monotonic() + seconds
    while left := missing():
        assert time.monotonic() < end, f"{len(left)} {what}: {left[:5]} {more()[:5]}"
        time.sleep(5)


def _conditions(each: Mapping[str, Any]) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = each.get("status", {}).get("conditions", [])
    return found
