"""What the program registers for a base of the table, with and without changes."""

from __future__ import annotations

import json
import re
from copy import deepcopy
from functools import cache
from typing import Any

from model.stack_file import StackFileError, load
from ops import render
from ops.recorder import Registered
from tests.engine.program import put
from tests.engine.settings_table import BASES, HARMLESS, REFUSED, Changes
from tests.engine.stacks import example


def key(resource: Registered) -> tuple[str, str]:
    """What a resource has in common before and after a change."""
    return resource.type, resource.name


@cache
def registered(base: str, changes: str = "{}") -> list[Registered]:
    """What is registered for a base with changes, which are JSON so that they can be remembered."""
    changed = _changed(_config(base), json.loads(changes))
    settings, _ = load(changed, need_secrets=False)
    return render.resources(settings)


def changes_of(base: str) -> dict[str, Changes]:
    """The table's changes of a base, by path: each alone, and together those that no stack file may make alone."""
    alone = {path: {path: value} for path, value in HARMLESS.get(base, {}).items()}
    alone |= {path: changes for path, (of, changes, _) in REFUSED.items() if of == base}
    rest = [path for path in alone if not _stands(base, alone[path])]
    together = {"together": HARMLESS[base]} if rest else {}
    return {path: changes for path, changes in alone.items() if path not in rest} | together


def _stands(base: str, changes: Changes) -> bool:
    try:
        load(_changed(_config(base), changes), need_secrets=False)
    except StackFileError:
        return False
    return True


def _config(base: str) -> dict[str, Any]:
    file, changes = BASES[base]
    return _changed(example(f"Pulumi.{file}"), changes)


def _changed(config: dict[str, Any], changes: Changes) -> dict[str, Any]:
    config = deepcopy(config)
    for path, value in changes.items():
        put(config, re.sub(r"\[.*?\]", "", path).split("."), value)
    return config
