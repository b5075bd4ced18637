"""The kinds that controllers bring along, as their makers publish them, for an API server that runs none of these."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import yaml

from tests.lab import programs

_KINDS = ("cert-manager", "prometheus-operator", "gateway-api")
"""Modules of the lab that have nothing but kinds."""
_THERE = {None, "metallb-system", "kube-system", "default"}
"""Namespaces that an API server or MetalLB has; objects of a whole cluster have none."""


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


def surroundings(objects: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """What an API server needs to take all of `objects`: the kinds of controllers that a cluster may have, and their namespaces.

    Fetches what is not there.
    """
    programs.build(print, "metallb", *_KINDS)
    yield from definitions(
        programs.shared("metallb.yaml"), *(programs.shared(f"{name}-crds") for name in _KINDS)
    )
    for name in {each["metadata"].get("namespace") for each in objects} - _THERE:
        yield {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}}
