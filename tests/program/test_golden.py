"""The manifests of the shipped stacks as files, so that a review sees what a change does to the cluster.

After a deliberate change: `make golden`, and read the difference.
"""

from __future__ import annotations

import copy
import difflib
from collections import defaultdict
from pathlib import Path
from typing import Any

import pytest
import yaml

from ops.render import MASK
from tests.support.deploy import Deployment, Manifest
from tests.support.stacks import deployment

GOLDEN = Path(__file__).parent / "golden"
STACKS = ("single-node", "cluster")
PARTS = {"gateway": ("routes.yaml",)}
"""Other stacks, and the components of theirs that no shipped stack has."""
REFRESH = "make golden"
SHOWN = 200
"""Lines of a difference."""


class _Dumper(yaml.CSafeDumper):
    """Texts of several lines as they are, so that scripts can be read."""


def _text(dumper: yaml.CSafeDumper, value: str) -> yaml.ScalarNode:
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style="|" if "\n" in value else None)


_Dumper.add_representer(str, _text)


def masked(manifest: Manifest) -> Manifest:
    """A manifest without the values of its secrets."""
    if manifest["kind"] != "Secret":
        return manifest
    shown = copy.deepcopy(manifest)
    shown["stringData"] = dict.fromkeys(shown["stringData"], MASK)
    return shown


def files(stack: Deployment) -> dict[str, str]:
    """File name -> manifests of one component, in the order in which they are made."""
    parents = {each.urn: each.parent for each in stack.resources}
    names = {each.urn: each.name for each in stack.resources}
    (root,) = (each.urn for each in stack.resources if each.name == "kolab")
    found: dict[str, list[Any]] = defaultdict(list)
    for each in stack.objects:
        urn = stack.registered(each).urn
        while parents[urn] != root:
            urn = parents[urn]
        found[f"{names[urn]}.yaml"].append(masked(each))
    return {
        name: yaml.dump_all(objects, Dumper=_Dumper, sort_keys=True, width=10_000, allow_unicode=True)
        for name, objects in found.items()
    }


@pytest.mark.parametrize("stack", [*STACKS, *PARTS])
def test_the_manifests_are_the_reviewed_ones(stack: str, golden: bool) -> None:
    folder, made = GOLDEN / stack, files(deployment(stack))
    if stack in PARTS:
        made = {name: made[name] for name in PARTS[stack]}
    if golden:
        folder.mkdir(parents=True, exist_ok=True)
        for old in set(folder.glob("*.yaml")) - {folder / name for name in made}:
            old.unlink()
        for name, text in made.items():
            (folder / name).write_text(text)
    reviewed = {path.name: path.read_text() for path in folder.glob("*.yaml")}
    lines = [
        line
        for name in sorted(made.keys() | reviewed.keys())
        for line in difflib.unified_diff(
            reviewed.get(name, "").splitlines(),
            made.get(name, "").splitlines(),
            f"reviewed/{name}",
            name,
            lineterm="",
            n=2,
        )
    ]
    more = f"\n... and {len(lines) - SHOWN} lines more" if len(lines) > SHOWN else ""
    shown = "\n".join(lines[:SHOWN])
    assert not lines, f"{stack} would be deployed differently; if that is right: {REFRESH}\n{shown}{more}"


@pytest.mark.parametrize("stack", [*STACKS, *PARTS])
def test_a_reviewed_manifest_shows_no_secret(stack: str) -> None:
    for path in (GOLDEN / stack).glob("*.yaml"):
        assert "Sentinel" not in path.read_text(), path.name
