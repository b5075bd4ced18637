"""Changes without an engine: what the base and the head of a branch render. Needs no secret, so it serves forks."""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import yaml

from model.review.change import Change, changes
from model.settings import Settings
from ops.recorder import objects
from ops.render import resources
from ops.stacks import ROOT, StackFile, StackProblem

_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


@contextmanager
def checkout(reference: str, root: Path = ROOT) -> Iterator[Path]:
    """All of `reference` in a folder of its own while the context lasts. Raises StackProblem when git has no such commit."""
    with tempfile.TemporaryDirectory(prefix="kolab-base-") as folder:
        tree = Path(folder) / "tree"
        if _git(root, "worktree", "add", "--quiet", "--detach", str(tree), reference).returncode != 0:
            raise StackProblem(f"{reference} is no commit of this repository; name one with --base")
        try:
            yield tree
        finally:
            _git(root, "worktree", "remove", "--force", str(tree))


def stack_at(reference: str, name: str, root: Path = ROOT) -> StackFile | None:
    """The stack file as it is in `reference`; None where the stack does not exist there. Raises StackProblem."""
    if _git(root, "cat-file", "-e", f"{reference}^{{commit}}").returncode != 0:
        raise StackProblem(f"{reference} is no commit of this repository; name one with --base")
    shown = _git(root, "show", f"{reference}:stacks/Pulumi.{name}.yaml")
    if shown.returncode != 0:
        return None
    with tempfile.TemporaryDirectory(prefix="kolab-base-") as folder:
        path = Path(folder) / "stacks" / f"Pulumi.{name}.yaml"
        path.parent.mkdir()
        path.write_text(shown.stdout, "utf-8")
        return StackFile.read(name, Path(folder))


def between(tree: Path | None, stack: str, after: Settings) -> list[Change]:
    """What changes from the render of the base, by the base's own code, to that of `after`."""
    with ThreadPoolExecutor(max_workers=1) as beside:
        old = beside.submit(_rendered, tree, stack) if tree else None
        new = [_plain(item) for item in objects(resources(after))]
        return changes(old.result() if old else [], new)


def _rendered(tree: Path, stack: str) -> list[dict[str, Any]]:
    command = [sys.executable, "-m", "ops", "render", "--stack", stack]
    done = subprocess.run(
        command,
        cwd=tree,
        env={**os.environ, "PYTHONPATH": str(tree)},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        last = (done.stderr.strip() or "it said nothing").splitlines()[-1]
        raise StackProblem(f"the base cannot render {stack}: {last}")
    folder = tree / "rendered" / stack / "manifests"
    return [yaml.load(path.read_text("utf-8"), _LOADER) for path in sorted(folder.rglob("*.yaml"))]  # noqa: S506


def _plain(value: Any) -> Any:
    """As it would be after a way through YAML: whole numbers are no fractions."""
    if isinstance(value, Mapping):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item) for item in value]
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _git(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["git", *arguments], cwd=root, capture_output=True, text=True, check=False)
