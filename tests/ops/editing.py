"""A stack file and the CLI that edits it, in memory."""

from __future__ import annotations

import copy
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from model.deployed import Deployed
from ops import adopt, dkim, moving, tlsa
from ops.edits import keys_of
from ops.stacks import StackFile
from tests.identity.stacks import raw

STACK = "mine"


@dataclass
class Editor:
    """Stands for `Pulumi` and for the file on disk. `writes` counts what was stored."""

    values: dict[str, Any]
    secrets: dict[str, str] = field(default_factory=dict)
    writes: int = 0
    models: tuple[Deployed, ...] = ()

    def read(self, *_: Any) -> StackFile:
        hidden = {key: {"secure": "v1:x"} for key in self.secrets}
        values = copy.deepcopy(self.values) | hidden
        return StackFile(STACK, Path(f"stacks/Pulumi.{STACK}.yaml"), values, frozenset(hidden))

    def set_secret(self, key: str, value: str) -> None:
        self.writes += 1
        self.secrets[key] = value

    def set_plain(self, path: str, value: str) -> None:
        self.writes += 1
        node, last = self._at(path)
        node[last] = value

    def remove(self, path: str) -> None:
        self.writes += 1
        if path in self.secrets:
            del self.secrets[path]
            return
        node, last = self._at(path)
        del node[last]

    def append(self, key: str, entry: dict[str, str]) -> None:
        self.writes += 1
        self.values.setdefault(key, []).append(entry)

    def deployed(self) -> tuple[Deployed, ...]:
        return self.models

    def records(self) -> frozenset[str]:
        return frozenset()

    def urns(self) -> frozenset[str]:
        return frozenset()

    def plaintexts(self) -> dict[str, str]:
        return dict(self.secrets)

    def _at(self, path: str) -> tuple[dict[str, Any], str]:
        *above, last = keys_of(path)
        node = self.values
        for key in above:
            node = node.setdefault(key, {})
        return node, last


def editor(monkeypatch: pytest.MonkeyPatch, **changes: Any) -> Editor:
    """The full stack's file, edited by `ops dkim`, `ops tlsa` and `ops dns move`; `changes` are named by path, as in `stack`."""
    made = Editor(
        raw() | {"passportPublicKey": "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n"}
    )
    for path, value in changes.items():
        node, last = made._at(path.replace("__", "."))
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    for module in (adopt, dkim, moving, tlsa):
        monkeypatch.setattr(module, "Pulumi", lambda *_: made)
        monkeypatch.setattr(module, "StackFile", made)
    return made
