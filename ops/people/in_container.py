"""Scripts that commands run inside of a container: files of ops/people/scripts/, since shellcheck reads files."""

from __future__ import annotations

from pathlib import Path

_SCRIPTS = Path(__file__).parent / "scripts"


def script(name: str) -> str:
    """The text of a script. Raises FileNotFoundError when there is none."""
    return (_SCRIPTS / name).read_text("utf-8")
