"""What the entry point imports, without running it."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Iterable

from tests.engine.program import CHECKOUT

SDK = "import pulumi, pulumi_kubernetes, pydantic, yaml"
"""What any program of this kind needs."""


def at_start() -> str:
    """The import statements that __main__.py always runs, as a program of their own."""
    return _imports(_entry_point().body)


def ever() -> str:
    """The same with those inside functions and conditions."""
    return _imports(ast.walk(_entry_point()))


def run(program: str) -> str:
    """What a fresh interpreter prints that runs `program` in the checkout."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout


def modules_below(package: str) -> int:
    """How many modules of `package` the entry point imports."""
    count = f"import sys; print(sum(name.startswith({package + '.'!r}) for name in sys.modules))"
    return int(run(f"{ever()}\n{count}"))


def _entry_point() -> ast.Module:
    return ast.parse((CHECKOUT / "__main__.py").read_text())


def _imports(nodes: Iterable[ast.AST]) -> str:
    found = [node for node in nodes if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in sorted(found, key=lambda node: node.lineno))
