"""Recorded versions: what a stack of theirs looked like when it was deployed."""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.engine.program import Program

_HERE = Path(__file__).parent
STACKS = ("local", "cluster")


@dataclass(frozen=True)
class Release:
    """One recorded version."""

    version: str

    @property
    def folder(self) -> Path:
        return _HERE / self.version

    @property
    def schema(self) -> dict[str, Any]:
        """stacks/schema.json as it was."""
        found: dict[str, Any] = json.loads((self.folder / "schema.json").read_text())
        return found

    def state(self, stack: str) -> str:
        """The exported state."""
        return gzip.decompress((self.folder / f"{stack}.json.gz").read_bytes()).decode()

    def take_over(self, program: Program) -> None:
        """Puts the stack file and the state of this version into a program of today."""
        name = f"Pulumi.{program.stack}.yaml"
        program.must("stack", "init", program.stack)
        program.stack_file.write_text((self.folder / name).read_text())
        exported = program.root / "state.json"
        exported.write_text(self.state(program.stack))
        program.must("stack", "import", "--stack", program.stack, "--file", str(exported))
        exported.unlink()


def releases() -> list[Release]:
    """All of them, the oldest first."""
    found = [path.name for path in _HERE.iterdir() if re.fullmatch(r"\d+\.\d+\.\d+", path.name)]
    return [Release(name) for name in sorted(found, key=lambda name: tuple(map(int, name.split("."))))]


def keys_of(schema: dict[str, Any]) -> set[str]:
    """Every path that a stack file of that version may hold, without `kolab:`; `*` is any key of a map."""
    config = schema["properties"]["config"]
    return {path.removeprefix("kolab:") for path in _paths(schema, config, ())}


def _paths(schema: dict[str, Any], node: dict[str, Any], seen: tuple[str, ...]) -> Iterator[str]:
    reference = node.get("$ref")
    if reference:
        if reference in seen:
            return
        yield from _paths(schema, schema["$defs"][reference.rpartition("/")[2]], (*seen, reference))
    for key in ("anyOf", "oneOf"):
        for each in node.get(key, ()):
            yield from _paths(schema, each, seen)
    named = dict(node.get("properties", {}))
    maps = [*node.get("patternProperties", {}).values(), node.get("additionalProperties")]
    wild = [("*", below) for below in maps if isinstance(below, dict)]
    for key, below in (*named.items(), *wild):
        yield key
        yield from (f"{key}.{rest}" for rest in _paths(schema, below, seen))
    if isinstance(node.get("items"), dict):
        yield from _paths(schema, node["items"], seen)
