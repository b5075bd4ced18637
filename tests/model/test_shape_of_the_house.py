"""What keeps the tree readable: short files, and no setting that nobody reads."""

from __future__ import annotations

import re
from collections.abc import Iterator

import pytest
from pydantic import BaseModel

from model import settings as sections
from model.settings import Section
from ops.stacks import ROOT

PRODUCT = ("model", "components", "ops", "toolchain")
MOST_LINES = 300
READERS = (
    "\n".join(
        path.read_text()
        for folder in ("model", "components", "ops")
        for path in sorted((ROOT / folder).rglob("*.py"))
        if path.parent.name != "settings"
    )
    + (ROOT / "model" / "settings" / "__init__.py").read_text().partition("    @property")[2]
)
TAGS = {"mode", "provider", "issuer"}
"""Discriminators, by which pydantic chooses the section."""


def fields() -> Iterator[tuple[str, str]]:
    """(section, field) of every setting."""
    for name in sections.__all__:
        section = getattr(sections, name)
        if isinstance(section, type) and issubclass(section, Section) and section is not Section:
            assert issubclass(section, BaseModel)
            yield from ((name, field) for field in section.model_fields if field not in TAGS)


@pytest.mark.parametrize("folder", PRODUCT)
def test_no_file_of_the_product_is_longer_than_a_reader_has_patience(folder: str) -> None:
    lengths = {
        str(path.relative_to(ROOT)): len(path.read_text().splitlines())
        for path in (ROOT / folder).rglob("*.py")
    }
    assert {name: length for name, length in lengths.items() if length > MOST_LINES} == {}


def test_every_setting_is_read_by_something() -> None:
    with_methods = [
        (ROOT / "model" / "settings" / f"{name}.py").read_text()
        for name in ("network", "web_server", "backup")
    ]
    text = READERS + "".join(with_methods).replace('"""', "")
    unread = {(section, field) for section, field in fields() if not re.search(rf"\.{field}\b", text)}
    dynamic = {("Replicas", name) for name in sections.Replicas.model_fields}
    dynamic |= {("Storage", name) for name in sections.Storage.model_fields}
    dynamic |= {("PublicAddresses", name) for name in sections.PublicAddresses.model_fields}
    dynamic |= {("Hosts", name) for name in sections.Hosts.model_fields}
    assert unread - dynamic == set()
