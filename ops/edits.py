"""Edits of a stack file that are checked before they are written: by all rules, and as a step from what it says now."""

from __future__ import annotations

import copy
import datetime
import re
from collections.abc import Mapping
from typing import Any

from model.settings import Settings
from model.stack_file import load
from model.step import judge
from model.transition import snapshot
from model.types import hostname
from ops.stacks import Pulumi, StackFile, StackProblem

_KEY = re.compile(r'\["([^"]+)"\]|([^.\[\]"]+)')

Edits = Mapping[str, str | None]
"""Path such as mail.dkim.selectors.k1.stage or domains["example.org"].senders -> new value, or None to remove it."""


def propose(stack: StackFile, edits: Edits, today: datetime.date) -> Settings:
    """The settings after `edits`. Raises StackFileError or StackProblem when they are wrong or come too early."""
    before, _ = stack.settings()
    values = copy.deepcopy(stack.values)
    for path, value in edits.items():
        apply(values, keys_of(path), value)
    after, _ = load(values, stack.secret_keys, need_secrets=False)
    verdict = judge(snapshot(before), after, today)
    if verdict.refused:
        raise StackProblem(f"nothing was changed: {verdict.text()}")
    return after


def keys_of(path: str) -> list[str]:
    """The keys of a path as the CLI writes it: dots between keys, and keys that hold dots as `["example.org"]`."""
    return [plain or quoted for quoted, plain in _KEY.findall(path)]


def domain_path(stack: StackFile, domain: str) -> str:
    """Where the file keeps what a domain has of its own, under the name as it is written there."""
    there = stack.values.get("domains")
    written = there if isinstance(there, Mapping) else {}
    return f'domains["{next((key for key in written if hostname(str(key)) == domain), domain)}"]'


def write(pulumi: Pulumi, edits: Edits) -> None:
    """Stores `edits` through the CLI, which keeps the rest of the file as it is."""
    for path, value in edits.items():
        if value is None:
            pulumi.remove(path)
        else:
            pulumi.set_plain(path, value)


def apply(node: Any, keys: list[str], value: str | None) -> None:
    """Puts `value` at `keys`, or removes what is there."""
    for key in keys[:-1]:
        node = node.setdefault(key, {})
    if value is None:
        node.pop(keys[-1], None)
    else:
        node[keys[-1]] = value
