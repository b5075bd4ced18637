"""The model is pure: the same stack file gives the same records and names on every machine, on every day."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
MODULES = sorted((ROOT / "model").rglob("*.py"))

IMPURE_MODULES = {
    "asyncio",
    "components",
    "glob",
    "http",
    "kubernetes",
    "ops",
    "os",
    "pathlib",
    "pulumi",
    "pulumi_cloudflare",
    "pulumi_kubernetes",
    "random",
    "secrets",
    "shutil",
    "socket",
    "subprocess",
    "sys",
    "tempfile",
    "time",
    "uuid",
}
IMPURE_CALLS = {"now", "utcnow", "today", "fromtimestamp", "open", "input", "print", "getenv"}


def imported(tree: ast.Module) -> Iterator[str]:
    """Top-level packages that a module imports, wherever the import stands."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield node.module.partition(".")[0]


def called(tree: ast.Module) -> Iterator[str]:
    """Last names of everything that a module calls."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            match node.func:
                case ast.Name(id=name) | ast.Attribute(attr=name):
                    yield name


@pytest.mark.parametrize("path", MODULES, ids=lambda path: str(path.relative_to(ROOT)))
def test_no_module_of_the_model_reaches_for_the_world(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert not set(imported(tree)) & IMPURE_MODULES
    assert not set(called(tree)) & IMPURE_CALLS


def test_nothing_that_the_model_imports_pulls_in_pulumi() -> None:
    names = [str(path.relative_to(ROOT).with_suffix("")).replace("/", ".") for path in MODULES]
    script = f"""
import importlib, sys
for name in {names!r}: importlib.import_module(name.removesuffix(".__init__"))
print(sorted({{m.partition(".")[0] for m in sys.modules}} & {{"pulumi", "pulumi_kubernetes", "grpc", "components", "ops"}}))
"""
    done = subprocess.run(
        [sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True
    )
    assert done.stdout.strip() == "[]"


def test_an_impure_module_would_be_noticed() -> None:
    tree = ast.parse("def f():\n    from os import environ\n    return datetime.date.today()")
    assert set(imported(tree)) & IMPURE_MODULES
    assert set(called(tree)) & IMPURE_CALLS
