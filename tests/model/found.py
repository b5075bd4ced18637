"""Every place in the code that makes a finding, and the declared rule that it is made from."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from string import Formatter
from typing import Any

from model.findings import Rule
from ops.stacks import ROOT

SOURCES = sorted(path for folder in ("model", "components", "ops") for path in (ROOT / folder).rglob("*.py"))


def placeholders(rule: Rule) -> set[str]:
    """Names in braces in the texts of a rule."""
    texts = (rule.path, rule.problem, rule.fix, rule.source)
    return {name for text in texts for _, name, _, _ in Formatter().parse(text) if name}


def declared(tree: ast.Module) -> dict[str, str]:
    """Name under which a module knows a part of the catalogue, or a rule -> where that is declared."""
    found: dict[Any, Any] = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("model.catalogue"):
            found |= {alias.asname or alias.name: f"{node.module}.{alias.name}" for alias in node.names}
    return found


def calls(path: Path) -> Iterator[tuple[Rule, set[str], int]]:
    """(rule, names of the values that it is given, line) of every finding that a module makes."""
    text = path.read_text()
    if ".found(" not in text:
        return
    tree = ast.parse(text)
    known = declared(tree)
    for node in ast.walk(tree):
        if not (isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)):
            continue
        if node.func.attr != "found":
            continue
        for named in ast.walk(node.func.value):
            if isinstance(named, ast.Attribute) and isinstance(named.value, ast.Name):
                rule = getattr(import_module(known[named.value.id]), named.attr)
            elif isinstance(named, ast.Name) and named.id.isupper():
                module, _, constant = known[named.id].rpartition(".")
                rule = getattr(import_module(module), constant)
            else:
                continue
            yield rule, {keyword.arg or "**" for keyword in node.keywords}, node.lineno


CALLS = [(path, *call) for path in SOURCES for call in calls(path)]
