"""A certificate comes from the lab's authority for proof alone, through the genuine cert-manager."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from typing import Any

import pytest
from cryptography import x509

from tests.lab import paths
from tests.lab.acme import ISSUER, Acme
from tests.lab.cluster import Lab
from tests.lab.progress import wait_until
from tests.lab.use import Apply

pytestmark = pytest.mark.acceptance

_ZONE = """\
$TTL 1
@ IN SOA ns hostmaster 1 3600 600 86400 1
@ IN NS ns
ns IN A 203.0.113.53
"""
_ZONES = {
    "ours.test": _ZONE,
    "pointed.test": _ZONE + "_acme-challenge.mail IN CNAME mail.pointed.test._hosted.ours.test.\n",
    "silent.test": _ZONE,
}


@pytest.fixture(scope="module")
def acme(lab: Lab) -> Iterator[Acme]:
    lab.internet.dns.load(_ZONES)
    made = Acme(lab)
    with made.working():
        made.issue_by({**made.dns01, "selector": {"dnsZones": ["ours.test", "pointed.test"]}}, made.http01)
        yield made
    lab.internet.dns.clear()


def test_the_kinds_are_those_of_the_controllers_version() -> None:
    def version(module: str) -> str:
        pins = (paths.SOURCES / "go" / module / "go.mod").read_text()
        found = re.search(r"github\.com/cert-manager/cert-manager (v\S+)", pins)
        assert found
        return found[1]

    assert version("acme") == version("cert-manager")


def test_names_are_proven_by_records_where_cnames_lead(lab: Lab, acme: Acme, apply: Apply) -> None:
    apply(_certificate("mail.pointed.test", "ours.test"))
    lab.kubectl(
        "wait", "--for=condition=Ready", "certificate/mail.pointed.test", "--timeout=180s", seconds=200
    )
    issued = x509.load_pem_x509_certificates(
        base64.b64decode(lab.get("secret", "mail.pointed.test")["data"]["tls.crt"])
    )
    issued[-1].verify_directly_issued_by(x509.load_pem_x509_certificate(acme.root()))
    assert not any(
        "TXT" in line for line in lab.internet.resolve("mail.pointed.test._hosted.ours.test", "TXT")
    )


@pytest.mark.usefixtures("acme")
def test_a_name_that_is_not_proven_has_no_certificate(lab: Lab, apply: Apply) -> None:
    apply(_certificate("mail.silent.test"))

    def reason() -> str:
        found = lab.get("challenges")["items"]
        return "".join(each.get("status", {}).get("reason", "") for each in found)

    wait_until("the challenge fails", lambda: "no such host" in reason() or "wrong status" in reason())
    assert not lab.kubectl("get", "secret", "mail.silent.test", "--ignore-not-found")


def _certificate(*names: str) -> dict[str, Any]:
    spec = {
        "secretName": names[0],
        "dnsNames": list(names),
        "issuerRef": {"kind": "ClusterIssuer", "name": ISSUER},
        "privateKey": {"algorithm": "ECDSA", "size": 256, "rotationPolicy": "Never"},
    }
    made = {"apiVersion": "cert-manager.io/v1", "kind": "Certificate", "spec": spec}
    return made | {"metadata": {"name": names[0], "namespace": "default"}}
