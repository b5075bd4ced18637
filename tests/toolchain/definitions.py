"""The kinds that controllers bring along, as their makers publish them, for an API server that runs none of these."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml


class _Loader(yaml.SafeLoader):
    """Takes `=` for text: PyYAML knows it as YAML 1.1's default value, and builds nothing from it."""


def _text(_: yaml.SafeLoader, node: yaml.ScalarNode) -> str:
    return str(node.value)


_Loader.add_constructor("tag:yaml.org,2002:value", _text)


def definitions(*places: Path) -> Iterator[dict[str, Any]]:
    """The namespaces and CustomResourceDefinitions in files, and in the files of folders."""
    for place in places:
        for file in sorted(place.glob("*.yaml")) if place.is_dir() else [place]:
            for obj in yaml.load_all(file.read_text(), _Loader):
                if obj and obj["kind"] in ("Namespace", "CustomResourceDefinition"):
                    yield obj
