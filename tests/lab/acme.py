"""Certificates as the world gives them: an authority on the internet that asks for proof (pebble), and the genuine
cert-manager, which brings it.

cert-manager runs on the internet, as administrator of the cluster: from there it sees names as the authority does.
"""

from __future__ import annotations

import base64
import ipaddress
import json
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from cryptography import x509

from tests.lab import own_images, programs, signing
from tests.lab.cluster import Lab
from tests.lab.controllers.certificates import RESTS
from tests.lab.internet_dns import UPDATES
from tests.lab.processes import Daemon
from tests.lab.progress import wait_until

ISSUER = "world"
"""The ClusterIssuer."""
SOLVER = "registry.lab/acmesolver:1"
_PORT, _MANAGEMENT = 14000, 15000
_UPDATES = "acme-updates"
_WORK = "certificaterequests,orders,challenges"


class Acme:
    """The authority and cert-manager, for one lab. Built the first time, which takes minutes."""

    def __init__(self, lab: Lab) -> None:
        self._lab = lab
        self._home = lab.state / "acme"
        self.authority = Daemon("pebble", lab.state)
        self.manager = Daemon("cert-manager", lab.state)

    @contextmanager
    def working(self) -> Iterator[None]:
        """Both answer until the end; then the lab's own controller issues again, and nothing of them is left."""
        programs.build(self._lab.say, "acme")
        self._lab.load_image(own_images.of_module("acme", SOLVER, "acmesolver", "/app", user="1000"))
        self._home.mkdir(exist_ok=True)
        self._stop()
        self._start_authority()
        rests = self._lab.state / RESTS
        rests.touch()
        try:
            self._start_manager()
            yield
        finally:
            self._stop()
            rests.unlink()

    def issue_by(self, *solvers: Mapping[str, Any]) -> None:
        """A ClusterIssuer with these solvers, until it has an account; nobody else's is there."""
        self._lab.kubectl("delete", "--ignore-not-found", "clusterissuer", ISSUER)
        self._apply(
            {
                "apiVersion": "v1",
                "kind": "Secret",
                "metadata": {"name": _UPDATES, "namespace": "cert-manager"},
                "stringData": {"secret": self._lab.internet.dns.update_key},
            }
        )
        acme = {
            "server": f"https://{self._lab.internet.address}:{_PORT}/dir",
            "caBundle": base64.b64encode((self._home / "authority.pem").read_bytes()).decode(),
            "privateKeySecretRef": {"name": "acme-account"},
            "solvers": list(solvers),
        }
        self._apply(
            {
                "apiVersion": "cert-manager.io/v1",
                "kind": "ClusterIssuer",
                "metadata": {"name": ISSUER},
                "spec": {"acme": acme},
            }
        )
        self._lab.kubectl("wait", "--for=condition=Ready", "clusterissuer", ISSUER, "--timeout=60s")

    @property
    def dns01(self) -> dict[str, Any]:
        """The solver that writes into the lab's name server, wherever CNAMEs lead it."""
        rfc2136 = {
            "nameserver": f"{self._lab.settings.internet_dns}:53",
            "tsigAlgorithm": "HMACSHA256",
            "tsigKeyName": UPDATES,
            "tsigSecretSecretRef": {"name": _UPDATES, "key": "secret"},
        }
        return {"dns01": {"cnameStrategy": "Follow", "rfc2136": rfc2136}}

    @property
    def http01(self) -> dict[str, Any]:
        """The solver that answers on port 80 of the name, of whatever leads there: the class is nobody's."""
        return {"http01": {"ingress": {"ingressClassName": "nobody", "serviceType": "ClusterIP"}}}

    def root(self) -> bytes:
        """Who vouches for what the authority issues (PEM); another one each time that it starts."""
        url = f"https://{self._lab.internet.address}:{_MANAGEMENT}/roots/0"
        return self._fetch(url)

    def _stop(self) -> None:
        """Also what an interrupted test has left."""
        self.manager.stop()
        self.authority.stop()
        # Nobody is there any more who would take back what proved a name.
        for each in self._lab.get("challenges", "--all-namespaces")["items"]:
            at = (each["metadata"]["name"], "-n", each["metadata"]["namespace"])
            self._lab.kubectl(
                "patch", "challenge", *at, "--type=merge", "-p", '{"metadata":{"finalizers":null}}'
            )
        self._lab.kubectl("delete", _WORK, "--all", "--all-namespaces")
        self._lab.kubectl("delete", "--ignore-not-found", "clusterissuer", ISSUER)

    def _fetch(self, url: str) -> bytes:
        return self._lab.internet.run(
            ["curl", "-sSf", "--cacert", self._home / "authority.pem", url]
        ).encode()

    def _start_authority(self) -> None:
        by, key = signing.authority("acme"), signing.new_key()
        address = x509.IPAddress(ipaddress.ip_address(self._lab.internet.address))
        own = signing.sign(signing.name("pebble"), key, by, alternatives=[address])
        (self._home / "authority.pem").write_bytes(signing.certificate_pem(by.certificate))
        (self._home / "own.pem").write_bytes(signing.certificate_pem(own))
        signing.write_key(self._home / "own.key", key)
        address_of = self._lab.internet.address
        settings = {
            "listenAddress": f"{address_of}:{_PORT}",
            "managementListenAddress": f"{address_of}:{_MANAGEMENT}",
            "certificate": str(self._home / "own.pem"),
            "privateKey": str(self._home / "own.key"),
            "httpPort": 80,
            "tlsPort": 443,
            "keyAlgorithm": "ecdsa",
            "retryAfter": {"authz": 1, "order": 1},
            "profiles": {"default": {"description": "as everywhere", "validityPeriod": 90 * 86400}},
        }
        (self._home / "pebble.json").write_text(json.dumps({"pebble": settings}))
        dns = f"{self._lab.settings.internet_dns}:53"
        self._start(
            self.authority,
            [programs.program("pebble"), "-strict", "-config", self._home / "pebble.json", "-dnsserver", dns],
            # It would wait up to five seconds before each look, to be like the world.
            {"PEBBLE_VA_NOSLEEP": "1"},
        )
        wait_until("the authority answers", lambda: bool(self.root()), why_not=self.authority.last_words)

    def _start_manager(self) -> None:
        dns = f"{self._lab.settings.internet_dns}:53"
        line: list[str | Path] = [
            programs.program("cert-manager"),
            f"--kubeconfig={self._lab.kubeconfig}",
            f"--acme-http01-solver-image={SOLVER}",
            f"--acme-http01-solver-nameservers={dns}",
            f"--dns01-recursive-nameservers={dns}",
            "--dns01-check-retry-period=1s",
            # As many as challenges at once: with a record of DNS each waits for a minute until it has spread.
            "--concurrent-workers=60",
        ]
        self._start(self.manager, line)
        self.manager.check()

    def _start(
        self, daemon: Daemon, line: Sequence[str | Path], variables: Mapping[str, str] | None = None
    ) -> None:
        daemon.start(self._lab.internet.command(line), variables)

    def _apply(self, manifest: Mapping[str, Any]) -> None:
        self._lab.kubectl("apply", "-f", "-", text=json.dumps(manifest))
