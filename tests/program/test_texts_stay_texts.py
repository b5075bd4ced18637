"""A text that reads like a number or a truth value is a text in every file that is made from it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.monitoring.document import to_yaml
from ops.render import file_name, write_manifests
from tests.support.deploy import deploy
from tests.support.stacks import changed

pytestmark = pytest.mark.security

_TAGS = ("true", "1e3", "2026.11", "null", "0o17", "y")
_OTHER_READERS = re.compile(r": (1e3|0o17|y|[0-9]+e[0-9]+)$", re.MULTILINE)
"""Values that Go's reader takes for numbers or truth values."""


def _images(node: Any) -> Iterator[str]:
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "image":
                yield value
            else:
                yield from _images(value)
    elif isinstance(node, list):
        for value in node:
            yield from _images(value)


@pytest.mark.thorough
@pytest.mark.parametrize("tag", _TAGS)
def test_an_image_is_asked_for_by_the_tag_as_it_was_written(tag: str) -> None:
    program = deploy(changed("cluster", {"images": {"tag": tag, "digests": {}}}))
    images = {image for each in program.workloads for image in _images(each.object)}
    ours = {image for image in images if image.startswith("quay.io/apheleiait/kolab/")}
    assert ours
    assert {image.rpartition(":")[2] for image in ours} == {tag}


@pytest.mark.parametrize("text", [*_TAGS, "12345e6789", "7e11", ".5", "+1e3", "0x1f", "1_000"])
def test_every_reader_of_what_is_rendered_reads_the_text(text: str, tmp_path: Path) -> None:
    item = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "x"}, "data": {text: text}}
    write_manifests([item], tmp_path)
    for written in ((tmp_path / file_name(item)).read_text(), to_yaml(item)):
        assert yaml.safe_load(written) == item
        assert not _OTHER_READERS.search(written)
        assert f"'{text}': '{text}'" in written
