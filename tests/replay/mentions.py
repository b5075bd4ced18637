"""What pages and messages name: commands, settings, rules, files, make targets, objects of the cluster.

A page is read as Markdown, a message is a string of the program's source. `<name>` and `…` in either stand for
anything.
"""

from __future__ import annotations

import ast
import functools
import json
import re
import shlex
import subprocess
from argparse import ArgumentParser, _SubParsersAction
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, NoReturn

import yaml

from ops.__main__ import parser
from tests.engine.program import CHECKOUT
from tests.replay.steps import Command, parse
from tests.support.document import document
from tests.support.stacks import deployment

_PRODUCT = ("model", "components", "ops", "toolchain")


@dataclass(frozen=True)
class Said:
    """Words, and where they stand. `exact` ones can be pasted as they are."""

    where: str
    text: str
    exact: bool = False


@functools.cache
def tracked() -> tuple[str, ...]:
    """Every file that a clone has or will have."""
    listed = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    found = subprocess.run(listed, cwd=CHECKOUT, capture_output=True, text=True, check=True)
    return tuple(name for name in found.stdout.splitlines() if (CHECKOUT / name).exists())


def pages() -> list[str]:
    """Every page of the project."""
    return [name for name in tracked() if name.endswith(".md")]


@functools.cache
def codes() -> tuple[Said, ...]:
    """Code within sentences, and the lines of blocks that are run, of all pages."""
    return tuple(said for name in pages() for said in _codes(name))


def _codes(name: str) -> Iterator[Said]:
    text = (CHECKOUT / name).read_text()
    for line, code in document(text).codes:
        yield Said(f"{name}:{line}", code)
    for step in parse(text):
        if isinstance(step, Command):
            yield Said(f"{name}:{step.line}", step.text, exact=True)


@functools.cache
def messages() -> tuple[Said, ...]:
    """Every string of the program but its docstrings."""
    return tuple(
        said
        for name in tracked()
        if name.endswith(".py") and name.startswith(_PRODUCT)
        for said in _strings(name)
    )


def _strings(name: str) -> Iterator[Said]:
    tree = ast.parse((CHECKOUT / name).read_text())
    nodes = list(ast.walk(tree))
    # A string between sentences of the program says nothing to anybody; parts of an f-string are said with it.
    unsaid = {id(node.value) for node in nodes if isinstance(node, ast.Expr)}
    unsaid |= {
        id(part)
        for node in nodes
        if isinstance(node, ast.JoinedStr)
        for part in ast.walk(node)
        if part is not node
    }
    for node in nodes:
        if id(node) in unsaid:
            continue
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            yield Said(f"{name}:{node.lineno}", node.value)
        elif isinstance(node, ast.JoinedStr):
            parts = (str(p.value) if isinstance(p, ast.Constant) else "<it>" for p in node.values)
            yield Said(f"{name}:{node.lineno}", "".join(parts))


# --- commands


class _Refused(Exception):
    pass


def _refuse(message: str) -> NoReturn:
    raise _Refused(message)


def fault_of_command(text: str, *, exact: bool) -> str | None:
    """What the real parser says against a line that begins with ./kolab.

    A mention may leave out what is required, and prose may follow it; a line to paste may not.
    """
    if exact:
        words = shlex.split(text, comments=True)[1:]
        # Where its output goes is the shell's affair.
        return _fault(words[: words.index(">")] if ">" in words else words, exact=True)
    words = re.split(r"[,;:()\n`]|\.(?:\s|$)", text)[0].split()[1:]
    fault = _fault(words[: words.index("…")] if "…" in words else words, exact=False)
    # Prose may go on behind a command, but not behind a flag or a step that it got wrong.
    prose = fault and re.fullmatch(r"unrecognized arguments:(?: [^-]\S*)+", fault)
    return None if prose else fault


def _fault(words: list[str], *, exact: bool) -> str | None:
    if words[:1] == ["pulumi"]:
        return None
    try:
        _parser(exact=exact).parse_args(words)
    except _Refused as refused:
        return str(refused)
    except SystemExit:
        return None
    return None


@functools.cache
def _parser(*, exact: bool) -> ArgumentParser:
    made = parser()
    _prepare(made, exact=exact)
    return made


def _prepare(made: ArgumentParser, *, exact: bool) -> None:
    made.error = _refuse  # type: ignore[method-assign]
    made.allow_abbrev = False
    for action in made._actions:
        if isinstance(action, _SubParsersAction):
            action.required = exact
            for below in action.choices.values():
                _prepare(below, exact=exact)
        elif not exact:
            action.required = False
            if not action.option_strings and action.nargs is None:
                action.nargs = "?"
            if action.choices is not None:
                action.choices = [*action.choices, "<it>", "<step>"]


# --- settings, rules, objects: as the generated files have them, which a check holds to the code


@functools.cache
def _schema() -> dict[str, Any]:
    found: dict[str, Any] = json.loads((CHECKOUT / "stacks" / "schema.json").read_text())
    return found


def is_setting(path: str) -> bool:
    """Whether `mail.mx.stage` or a flat secret exists. `<it>` and `*` stand for any key."""
    config = _schema()["properties"]["config"]
    found = dict(config, properties={k.removeprefix("kolab:"): v for k, v in config["properties"].items()})
    patterns = {k.removeprefix("^kolab:"): v for k, v in config.get("patternProperties", {}).items()}
    found["patternProperties"] = {
        f"^{key}" if not key.startswith("^") else key: v for key, v in patterns.items()
    }
    return _leads(found, [key for key in re.split(r"[.\[\]]+", path) if key])


def _leads(node: dict[str, Any], keys: list[str]) -> bool:
    if "$ref" in node:
        node = _schema()["$defs"][node["$ref"].rpartition("/")[2]] | {
            k: v for k, v in node.items() if k != "$ref"
        }
    choices = [each for key in ("anyOf", "oneOf") for each in node.get(key, ())]
    if not keys or any(_leads(each, keys) for each in choices):
        return True
    first, rest = keys[0], keys[1:]
    wild = re.fullmatch(r"<.*>.*|.*<.*>|\*|…|\d+", first) is not None
    below = list(node.get("properties", {}).values()) if wild else []
    if first in node.get("properties", {}):
        below.append(node["properties"][first])
    below += [v for k, v in node.get("patternProperties", {}).items() if wild or re.search(k, first)]
    for more in ("additionalProperties", "items"):
        if isinstance(node.get(more), dict):
            # An entry of a list has no key of its own in prose.
            below.append(node[more])
            if more == "items" and _leads(node[more], keys):
                return True
    return any(_leads(each, rest) for each in below)


def sections() -> set[str]:
    """First keys of a stack file."""
    return {key.removeprefix("kolab:") for key in _schema()["properties"]["config"]["properties"]}


@functools.cache
def rules() -> frozenset[str]:
    """Ids of all rules."""
    text = (CHECKOUT / "docs" / "reference" / "rules.md").read_text()
    return frozenset(re.findall(r"^### ([a-z0-9-]+)$", text, re.MULTILINE))


@functools.cache
def targets() -> frozenset[str]:
    """Targets of make."""
    return frozenset(re.findall(r"^([a-z-]+):", (CHECKOUT / "Makefile").read_text(), re.MULTILINE))


@dataclass(frozen=True)
class Workload:
    """Pods as the stack makes them."""

    kind: str
    name: str
    daemon: str
    containers: frozenset[str]


@functools.cache
def workloads() -> tuple[Workload, ...]:
    """What runs, of the reviewed manifests, and what runs while files move."""
    found = [
        Workload(each.kind, each.name, each.daemon, frozenset(c["name"] for c in each.containers))
        for each in deployment("moving").workloads
    ]
    for path in sorted((CHECKOUT / "tests/program/golden/cluster").glob("*.yaml")):
        for each in filter(None, yaml.load_all(path.read_text(), yaml.CSafeLoader)):
            spec = each.get("spec", {})
            template = spec.get("template") or spec.get("jobTemplate", {}).get("spec", {}).get("template")
            if template:
                names = frozenset(c["name"] for c in template["spec"]["containers"])
                daemon = template["metadata"]["labels"]["app.kubernetes.io/name"]
                found.append(Workload(each["kind"], each["metadata"]["name"], daemon, names))
    return tuple(found)
