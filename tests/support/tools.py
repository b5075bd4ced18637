"""Programs that tests ask: those that `toolchain ensure --tests` builds, and else what is installed."""

from __future__ import annotations

import os
import shutil

from toolchain import ensure


def tool(name: str) -> str | None:
    """Path of a program; what is built from the project's own pins goes before what the machine has."""
    directories = [*map(str, ensure.test_tool_directories()), *os.get_exec_path()]
    return shutil.which(name, path=os.pathsep.join(directories))
