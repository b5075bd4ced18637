"""Pages that list what is public list all of it."""

from __future__ import annotations

import pytest

from model import topology
from tests.engine.program import CHECKOUT
from tests.support.document import document
from tests.support.stacks import raw, stack

_PICTURES = {"single-node": "one((", "cluster": "proxy(("}
"""Shipped stack -> how the picture of the README begins its addresses."""


def first_ports(name: str) -> dict[str, list[str]]:
    """Public Service -> its port numbers, the first of those that follow each other."""
    found: dict[str, list[int]] = {}
    for port in topology.public_ports(stack(name)):
        found.setdefault(port.service, []).append(port.number)
    return {
        service: [str(number) for number in numbers if number - 1 not in numbers]
        for service, numbers in found.items()
    }


@pytest.mark.parametrize("name", _PICTURES)
def test_the_readme_draws_every_public_port(name: str) -> None:
    pictures = [
        text for _, kind, text in document((CHECKOUT / "README.md").read_text()).fences if kind == "mermaid"
    ]
    (picture,) = (text for text in pictures if _PICTURES[name] in text)
    edges = [line.replace("…", "").replace('"', " ").split() for line in picture.splitlines() if "--" in line]
    missing = [n for numbers in first_ports(name).values() for n in numbers if not any(n in e for e in edges)]
    assert missing == []


def test_a_router_is_told_the_ports_of_every_public_address() -> None:
    page = (CHECKOUT / "docs/how-to/one-public-address.md").read_text()
    rows = {line for line in page.splitlines() if line.startswith("|")}
    wanted = first_ports("cluster")
    assert wanted.keys() == raw("cluster")["network"]["addresses"].keys()
    for service, numbers in wanted.items():
        (row,) = (row for row in rows if f"`network.addresses.{service}`" in row)
        assert {*numbers} <= {*row.replace(",", " ").split()}, row
