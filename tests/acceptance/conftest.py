"""One lab for the whole run; each mode is deployed once and removed again."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model import identity
from model.settings import Settings
from tests.acceptance.stack import JANE, JOE, Stack, example
from tests.engine.program import Program
from tests.lab.cluster import Lab, end_on_signals
from tests.lab.images import tars

_HERE = Path(__file__).parent
KEPT = "KOLAB_ACCEPTANCE_KEPT"
"""While tests are written: folder of a program that is deployed on a running lab, used as it is."""


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies here needs a real cluster."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.acceptance)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A real cluster of two nodes with the lab's images on them."""
    end_on_signals()
    if KEPT in os.environ and (running := Lab.running()):
        yield running
        return
    made = Lab().up()
    try:
        for tar in tars():
            made.load_image(tar)
        # The stack brings its own pool; two that overlap are refused by MetalLB.
        made.kubectl("-n", "metallb-system", "delete", "ipaddresspools,l2advertisements", "--all")
        yield made
    finally:
        made.down()


def _lab_values(config: dict[str, Any]) -> dict[str, Any]:
    """What differs from an example in the lab: addresses, sizes, the source of certificates."""
    for key in config["mail"]["dkim"]["selectors"].values():
        key["publicKey"] = "AAAA"
    config["kubernetes"] = {"context": "lab", "clusterIdentifier": "lab"}
    config["dns"] = {
        "provider": "zonefile",
        "zones": {"example.org": "", "example.net": ""},
        "nameservers": {"ns1.example.com": [], "ns2.example.com": []},
    }
    config["tls"] = {"issuer": "selfSigned"}
    config["images"] = {"tag": "lab"}
    config["storage"] = {"accessMode": "ReadWriteOnce", "mailboxes": {"size": "1Gi"}}
    config["network"] |= {"podCidr": "10.244.0.0/16", "serviceCidr": "10.96.0.0/16"}
    config.pop("tlsa", None)
    config["acknowledge"] = [{"rule": "address-private", "reason": "the lab is a closed network"}]
    return config


@pytest.fixture(scope="module")
def single_node(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack `single-node`, deployed, with an account in each domain."""
    config = _lab_values(example("single-node"))
    config["hostedDomains"] = ["example.net"]
    config["mail"]["mx"] = {"stage": "live"}
    config["mail"]["dkim"]["selectors"]["k202611"]["stage"] = "active"
    config["network"] |= {
        "addresses": {"all": "192.168.50.200"},
        "egress": {"mode": "nodes", "nodes": {"n1": ["198.51.100.11"]}},
    }
    yield from _deployed(lab, tmp_path_factory.mktemp("single-node") / "program", "single-node", config)


@pytest.fixture(scope="module")
def cluster(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """The stack `cluster`, deployed on two nodes, with an account in each domain."""
    config = _lab_values(example("cluster"))
    config["hostedDomains"] = ["example.net"]
    # No sender of the world would trust the lab's authority.
    config["mail"].pop("mtaSts")
    claims = ("proxy", "smtp", "turn", "sieve", "meet")
    config["network"] |= {
        "addresses": {claim: f"192.168.50.{200 + n}" for n, claim in enumerate(claims)},
        "public": {},
        "egress": {"mode": "nodes", "nodes": {"n1": ["198.51.100.11"], "n2": ["198.51.100.12"]}},
    }
    yield from _deployed(lab, tmp_path_factory.mktemp("cluster") / "program", "cluster", config)


_SENDER = """\
$TTL 60
@ IN SOA ns.sender.test. hostmaster.sender.test. 1 3600 600 86400 60
@ IN NS ns.sender.test.
ns IN A 203.0.113.53
@ IN MX 10 client.sender.test.
@ IN TXT "v=spf1 ip4:203.0.113.9 -all"
client IN A 203.0.113.9
laptop IN A 203.0.113.9
"""
_REVERSE = """\
$TTL 60
@ IN SOA ns.sender.test. hostmaster.sender.test. 1 3600 600 86400 60
@ IN NS ns.sender.test.
9 IN PTR client.sender.test.
"""


def _publish(lab: Lab, settings: Settings) -> None:
    """The world's DNS: the stack's own zones, as it would publish them, and those of a stranger who writes to us."""
    ours = {
        zone: identity.zone_file(settings, zone, records)
        for zone, records in identity.zones(settings).items()
    }
    lab.internet.dns.load({**ours, "sender.test": _SENDER, "113.0.203.in-addr.arpa": _REVERSE})


def _deployed(lab: Lab, root: Path, name: str, config: dict[str, Any]) -> Iterator[Stack]:
    settings = Settings.model_validate(config)
    _publish(lab, settings)
    if KEPT in os.environ:
        yield Stack(lab, Program(Path(os.environ[KEPT]), name))
        return
    stack = Stack.make(lab, root, name, config)
    first = stack.up()
    assert first.code == 0, "\n".join(first.errors) or first.output
    # The web application serves a hosted domain once its owner has entered it there.
    for domain in settings.hosted_domains:
        stack.artisan("domain:create", domain)
    for address in (JANE, JOE):
        stack.add_user(address)
    yield stack
    stack.remove()
