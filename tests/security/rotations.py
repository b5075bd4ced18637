"""Which tests prove that a secret can be exchanged, or is refused: those that are marked `rotates` with its key."""

from __future__ import annotations

import functools
import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from types import ModuleType

from model.rotation import DKIM, ROTATIONS, Rotation
from model.secrets import DKIM_PREFIX
from ops.reference.markdown import code, table
from ops.stacks import ROOT

_MARK = "mark.rotates("
HOW: dict[str, Rotation] = {**ROTATIONS, DKIM_PREFIX: DKIM}
"""Secret -> its rotation, that of DKIM keys under their prefix."""

NOT_ON_THE_LAB = {
    "minioPassword": "the lab's stacks have their files in Versity Gateway, and MinIO's stand-in checks no signature",
    "cloudflareApiToken": "the lab has no Cloudflare: a stand-in for it, the engine's plugin, lets in one token alone",
    "acmeCloudflareToken": "the lab has no Cloudflare, and cert-manager's place is taken by a controller that asks nobody",
}
"""Secret that is exchanged -> why no test of the lab sees its other end."""


@dataclass(frozen=True)
class Proof:
    """A test, and the secrets that it is about."""

    file: str
    test: str
    keys: tuple[str, ...]

    @property
    def on_the_lab(self) -> bool:
        """Whether it runs on a cluster, with mail."""
        return self.file.startswith("tests/acceptance/")


@functools.cache
def proofs() -> tuple[Proof, ...]:
    """All of them, by file and as they stand there."""
    return tuple(_proofs())


def _proofs() -> Iterator[Proof]:
    for path in sorted((ROOT / "tests").rglob("test_*.py")):
        if _MARK in path.read_text("utf-8") and path.parent != ROOT / "tests/security":
            name = str(path.relative_to(ROOT).with_suffix("")).replace("/", ".")
            yield from _marked(importlib.import_module(name), str(path.relative_to(ROOT)))


def _marked(module: ModuleType, file: str) -> Iterator[Proof]:
    for name, found in vars(module).items():
        marks = getattr(found, "pytestmark", ()) if name.startswith("test_") else ()
        keys = [key for mark in marks if mark.name == "rotates" for key in mark.args]
        if keys:
            yield Proof(file, name, tuple(keys))


def of(key: str) -> list[Proof]:
    """The tests that are about a secret."""
    return [proof for proof in proofs() if key in proof.keys]


def page() -> str:
    """rotations.md."""
    rows = [
        (
            code(f"{key}<selector>" if key == DKIM_PREFIX else key),
            how.kind,
            _tests(proof for proof in of(key) if proof.on_the_lab) or NOT_ON_THE_LAB.get(key, ""),
            _tests(proof for proof in of(key) if not proof.on_the_lab),
        )
        for key, how in HOW.items()
    ]
    head = ("Secret", "Rotation", "On the lab, while mail flows", "Elsewhere")
    return f"{_HEAD}\n{table(head, rows).rstrip()}\n"


_HEAD = """\
# Which test proves what of a secret's rotation

Made from `model/rotation.py` and the tests that are marked `rotates`: `pytest --golden tests/security/test_rotations.py`.
What people notice of each rotation: [docs/reference/secrets.md](../../docs/reference/secrets.md#rotation). A rotation is
`made` (a new value is made), `given` (somebody else gives it), `staged` (another command leads it) or `never`: refused.
"""


def _tests(found: Iterator[Proof]) -> str:
    files: dict[str, list[str]] = {}
    for proof in found:
        files.setdefault(proof.file.removeprefix("tests/"), []).append(code(proof.test))
    return "; ".join(f"{code(file)}: {', '.join(tests)}" for file, tests in files.items())
