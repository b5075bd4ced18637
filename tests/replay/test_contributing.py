"""The six steps of CONTRIBUTING lead to every place that a daemon with a sidecar and a public port has."""

from __future__ import annotations

import ast
import functools
import re
from fnmatch import fnmatch

import pytest

from tests.engine.program import CHECKOUT
from tests.replay.mentions import tracked
from tests.support.document import document

_PRODUCT = ("model/", "components/", "ops/", "stacks/Pulumi.")
_WHO = {
    "a sidecar that is scraped": r"postfix_exporter|POSTFIX_EXPORTER|postfix-exporter",
    "a daemon with a public port": r"components\.coturn|topology\.coturn|names\.turn|\bTURN\b|\"coturn\"",
}
"""One that took all six steps -> how its places speak of it."""
_OWN = {
    # Why there is TURN at all, and what is special about it.
    "a daemon with a public port": (
        "components/meet.py",
        "ops/doctor/wire.py",
    ),
}
"""Places that have to do with what this daemon is for, not with its being one."""


@functools.cache
def steps() -> tuple[str, ...]:
    """Code within the six steps."""
    text = (CHECKOUT / "CONTRIBUTING.md").read_text()
    steps = text.partition("## Add a daemon in six steps")[2].partition("\n## ")[0]
    return tuple(code for _, code in document(steps).codes)


def files(code: str) -> list[str]:
    """The files that `code` names: a path, a pattern, a folder, or a name of its own."""
    pattern = re.sub(r"<\w+>", "*", code)
    if pattern.endswith("/"):
        pattern += "*"
    return [name for name in tracked() if fnmatch(name, pattern) or name.endswith(f"/{pattern}")]


@functools.cache
def named() -> frozenset[str]:
    """Every file that the steps name."""
    return frozenset(name for code in steps() for name in files(code))


@functools.cache
def defined() -> frozenset[str]:
    """Names that the named modules of Python define or import."""
    found: set[str] = set()
    for name in named() | {"components/daemon.py"}:
        if not name.endswith(".py"):
            continue
        for node in ast.walk(ast.parse((CHECKOUT / name).read_text())):
            match node:
                case ast.FunctionDef() | ast.ClassDef() | ast.alias():
                    found.add(node.name)
                case ast.Name(ctx=ast.Store()):
                    found.add(node.id)
    return frozenset(found)


@pytest.mark.parametrize("who", _WHO)
def test_whatever_speaks_of_one_that_is_there_is_a_place_of_the_steps(who: str) -> None:
    places = {
        name
        for name in tracked()
        if name.startswith(_PRODUCT) and re.search(_WHO[who], (CHECKOUT / name).read_text())
        if not any(fnmatch(name, pattern) for pattern in _OWN.get(who, ()))
    }
    assert len(places) > 5
    assert places <= named()


def test_every_name_in_the_steps_is_one_of_the_files_that_they_name() -> None:
    names = {
        code.removesuffix("()")
        for code in steps()
        if re.fullmatch(r"_?[A-Z][A-Za-z_]+|_\w+|[a-z_]+\(\)", code)
    }
    assert len(names) > 10
    assert names <= defined()


def test_every_file_of_the_steps_is_there() -> None:
    paths = [code for code in steps() if re.search(r"\.(py|md|yaml|sh)$|/$", code)]
    assert len(paths) > 15
    assert [path for path in paths if not files(path)] == []
