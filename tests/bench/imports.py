"""What the entry point imports, without running it."""

from __future__ import annotations

import ast
import subprocess
import sys

from tests.engine.program import CHECKOUT

SDK = "import pulumi, pulumi_kubernetes, pydantic, yaml"
"""What any program of this kind needs."""


def of_program() -> str:
    """The import statements of __main__.py, also those inside functions, as a program of its own."""
    tree = ast.parse((CHECKOUT / "__main__.py").read_text())
    found = [node for node in ast.walk(tree) if isinstance(node, ast.Import | ast.ImportFrom)]
    return "\n".join(ast.unparse(node) for node in sorted(found, key=lambda node: node.lineno))


def run(program: str) -> str:
    """What a fresh interpreter prints that runs `program` in the checkout."""
    command = [sys.executable, "-c", program]
    return subprocess.run(command, cwd=CHECKOUT, check=True, capture_output=True, text=True).stdout


def modules_below(package: str) -> int:
    """How many modules of `package` the entry point imports."""
    count = f"import sys; print(sum(name.startswith({package + '.'!r}) for name in sys.modules))"
    return int(run(f"{of_program()}\n{count}"))
