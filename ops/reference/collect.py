"""Reads from the source which findings exist: their ids, severities, reasons and words.

The source is read and not run, since a rule speaks only about a stack that breaks it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True)
class Said:
    """One place where a finding is made. `<names>` in its words stand for what differs from stack to stack."""

    module: str
    about: str
    rule: str
    severity: str
    why: str
    path: str
    problem: str
    fix: str
    source: str


class Unclear(Exception):
    """A finding whose rule id cannot be read from the source."""


def collect(folder: Path) -> list[Said]:
    """Every finding made below `folder`, in the order of the source. Raises Unclear for an id that is computed."""
    return [said for path in sorted(folder.rglob("*.py")) for said in _Module(path, folder).said()]


class _Module:
    """One source file."""

    def __init__(self, path: Path, folder: Path) -> None:
        tree = ast.parse(path.read_text("utf-8"))
        self._name = str(path.relative_to(folder.parent))
        self._about = _first_sentence(ast.get_docstring(tree) or "")
        self._functions = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef)]
        self._constants = _constants(tree)

    def said(self) -> Iterator[Said]:
        """Findings made directly, or through a function of the module that takes the rule as an argument."""
        builders: dict[str, list[str]] = {"Finding": []}
        for function in self._functions:
            names = [argument.arg for argument in function.args.args]
            if "rule" in names:
                builders[function.name] = names
        for function in self._functions:
            if function.name in builders:
                continue
            calls = [
                (node, node.func.id)
                for node in ast.walk(function)
                if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in builders
            ]
            for call, builder in sorted(calls, key=lambda found: found[0].lineno):
                given = dict(zip(builders[builder], call.args, strict=False))
                given |= {keyword.arg: keyword.value for keyword in call.keywords if keyword.arg}
                yield self._one(function, given)

    def _one(self, function: ast.FunctionDef, given: Mapping[str, ast.expr]) -> Said:
        rule = given.get("rule")
        if not isinstance(rule, ast.Constant):
            raise Unclear(f"{self._name}, {function.name}: write the rule's id as a plain string")
        known = {**self._constants, **_constants(function)}
        words = {name: _words(node, known) for name, node in given.items()}
        severity = words.get("severity", "error")
        return Said(
            module=self._name,
            about=self._about,
            rule=str(rule.value),
            severity=severity if severity in ("error", "warning") else "error or warning",
            why=self._why(function.name),
            path=words.get("path", ""),
            problem=words.get("problem", ""),
            fix=words.get("fix", ""),
            source=words.get("source", ""),
        )

    def _why(self, name: str, seen: tuple[str, ...] = ()) -> str:
        """The docstring of a function, or of the one that calls it."""
        for function in self._functions:
            text = ast.get_docstring(function)
            if function.name == name and text:
                return _first_sentence(text)
        for function in self._functions:
            names = {node.id for node in ast.walk(function) if isinstance(node, ast.Name)}
            if name in names and function.name not in (name, *seen):
                return self._why(function.name, (*seen, name))
        return self._about


def _constants(scope: ast.Module | ast.FunctionDef) -> dict[str, ast.expr]:
    """Names that are given a value exactly once."""
    found: dict[str, list[ast.expr]] = {}
    for node in scope.body if isinstance(scope, ast.Module) else ast.walk(scope):
        if isinstance(node, ast.Assign):
            for target in node.targets:
                if isinstance(target, ast.Name):
                    found.setdefault(target.id, []).append(node.value)
    return {name: values[0] for name, values in found.items() if len(values) == 1}


def _words(node: ast.expr, known: Mapping[str, ast.expr]) -> str:
    """What an expression says, as far as it is written down."""
    text = "…"
    match node:
        case ast.Constant(value=str(value)):
            text = value
        case ast.JoinedStr(values=values):
            text = "".join(_words(value, known) for value in values)
        case ast.FormattedValue(value=value):
            text = _words(value, known)
        case ast.IfExp(body=body, orelse=orelse):
            text = " / ".join(filter(None, (_words(body, known), _words(orelse, known))))
        case ast.Name(id=name) if name in known and isinstance(known[name], ast.Constant | ast.JoinedStr):
            text = _words(known[name], {key: value for key, value in known.items() if key != name})
        case ast.Name(id=name) | ast.Attribute(attr=name):
            text = f"<{name.strip('_')}>"
    return text


def _first_sentence(text: str) -> str:
    return " ".join(text.partition("\n\n")[0].split())
