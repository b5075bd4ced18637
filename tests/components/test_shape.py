"""How components are made: what holds for each of them, so that the next one looks like the others."""

from __future__ import annotations

import ast
import dataclasses
import importlib
import inspect
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

import components
from components.daemon import DaemonComponent
from model import topology
from model.topology.daemons import MEET_FIRST_MEDIA_PORT

FOLDER = Path(components.__file__).parent
FILES = sorted(FOLDER.rglob("*.py"))
MODULES = [importlib.import_module(f"components.{file.stem}") for file in sorted(FOLDER.glob("[a-z]*.py"))]
MOST_FIELDS = 12
"""What a reader keeps in mind; more belongs together in values of their own."""
LONGEST = 300


def own(module: ModuleType) -> Iterator[type]:
    """The classes that a module defines."""
    return (
        each for _, each in inspect.getmembers(module, inspect.isclass) if each.__module__ == module.__name__
    )


PARTS_OF_ONE = {"components.daemon", "components.rehearsal"}
"""The base of all, and what belongs to whichever makes it."""


INPUTS = [each for module in MODULES for each in own(module) if each.__name__.endswith("Args")]
DAEMONS = [module for module in MODULES if any(issubclass(each, DaemonComponent) for each in own(module))]
PORTS = {
    port.number
    for daemon in vars(topology).values()
    if isinstance(daemon, topology.Daemon | topology.Sidecar)
    for port in daemon.ports
} | {MEET_FIRST_MEDIA_PORT, *topology.TURN_RELAY_PORTS, topology.REINJECTION_PORT}


def imports(file: Path) -> set[str]:
    """Modules of components/ that a file imports from."""
    found = set()
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.ImportFrom) and node.module == "components":
            found |= {f"components.{name.name}" for name in node.names}
        elif isinstance(node, ast.ImportFrom) and (node.module or "").startswith("components."):
            found.add(str(node.module))
        elif isinstance(node, ast.Import):
            found |= {name.name for name in node.names if name.name.startswith("components.")}
    return found


@pytest.mark.parametrize("inputs", INPUTS, ids=lambda each: each.__name__)
def test_a_component_asks_for_few_things(inputs: type) -> None:
    assert len(dataclasses.fields(inputs)) <= MOST_FIELDS


@pytest.mark.parametrize("module", DAEMONS, ids=lambda each: each.__name__)
def test_no_daemon_imports_another_one(module: ModuleType) -> None:
    """What two daemons agree on is a fact of the stack: model/accounts.py or the topology."""
    daemons = {each.__name__ for each in DAEMONS} - {*PARTS_OF_ONE, module.__name__}
    assert imports(Path(str(module.__file__))) & daemons == set()


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
def test_ports_are_read_from_the_topology(file: Path) -> None:
    for node in ast.walk(ast.parse(file.read_text())):
        if isinstance(node, ast.Constant) and type(node.value) is int:
            assert node.value not in PORTS, f"{file.name}:{node.lineno}: {node.value}"
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            written = [port for port in PORTS if f":{port}" in node.value]
            assert written == [], f"{file.name}:{node.lineno}: {written}"


@pytest.mark.parametrize("file", FILES, ids=lambda each: each.stem)
def test_a_file_of_components_can_be_read_at_once(file: Path) -> None:
    assert len(file.read_text().splitlines()) <= LONGEST


def test_the_bounds_are_held_against_something() -> None:
    assert len(INPUTS) > 15
    assert len(DAEMONS) > 12
