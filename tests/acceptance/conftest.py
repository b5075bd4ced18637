"""One lab for the whole run; each mode is deployed once and removed again."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.acceptance.stack import JANE, JOE, Stack, example
from tests.lab.cluster import Lab, end_on_signals
from tests.lab.images import tars

_HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Whatever lies here needs a real cluster."""
    for item in items:
        if item.path.is_relative_to(_HERE):
            item.add_marker(pytest.mark.acceptance)


@pytest.fixture(scope="session")
def lab() -> Iterator[Lab]:
    """A real cluster of two nodes with the lab's images on them."""
    end_on_signals()
    made = Lab().up()
    try:
        for tar in tars():
            made.load_image(tar)
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


@pytest.fixture(scope="session")
def single_node(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Stack:
    """The stack `single-node`, deployed, with an account in each domain."""
    config = _lab_values(example("single-node"))
    config["hostedDomains"] = ["example.net"]
    config["mail"]["mx"] = {"stage": "live"}
    config["mail"]["dkim"]["selectors"]["k202611"]["stage"] = "active"
    config["network"] |= {
        "addresses": {"all": "192.168.50.200"},
        "egress": {"mode": "nodes", "nodes": {"n1": ["198.51.100.11"]}},
    }
    root = tmp_path_factory.mktemp("single-node") / "program"
    stack = Stack.make(lab, root, "single-node", config, {"all": "192.168.50.200"})
    return _deployed(stack)


def _deployed(stack: Stack) -> Stack:
    first = stack.up()
    assert first.code == 0, first.output
    for address in (JANE, JOE):
        stack.add_user(address)
    return stack
