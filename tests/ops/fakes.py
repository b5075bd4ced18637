"""Stands where the pulumi CLI is."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ops.stacks import StackFile


@dataclass
class FakePulumi:
    """Remembers what is stored, in order, and hands secrets back like the CLI."""

    stored: dict[str, str] = field(default_factory=dict)
    public: dict[str, str] = field(default_factory=dict)
    calls: list[tuple[str, str]] = field(default_factory=list)

    def set_secret(self, key: str, value: str) -> None:
        self.stored[key] = value
        self.calls.append(("secret", key))

    def set_plain(self, path: str, value: str) -> None:
        self.public[path] = value
        self.calls.append(("plain", path))

    def plaintexts(self) -> dict[str, str]:
        return dict(self.stored)


def stack_file(values: dict[str, Any], pulumi: FakePulumi | None = None) -> StackFile:
    """A stack file with these keys, after what `pulumi` has stored."""
    found = copy.deepcopy(values)
    stored = pulumi.stored if pulumi else {}
    found |= {key: {"secure": "v1:x"} for key in stored}
    for path, value in pulumi.public.items() if pulumi else ():
        *above, last = path.split(".")
        node = found
        for key in above:
            node = node.setdefault(key, {})
        node[last] = value
    return StackFile("x", Path("stacks/Pulumi.x.yaml"), found, frozenset(stored))
