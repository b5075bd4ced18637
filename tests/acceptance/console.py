"""The operator's terminal: somewhere on the internet, with the stack file, the kubeconfig and `./kolab`."""

from __future__ import annotations

import functools
import json
import os
import re
import shlex
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.acceptance.stack import Stack
from tests.engine.program import CHECKOUT
from tests.lab import programs

CONTEXT = "lab"
_NOTING = """#!/bin/sh
printf '%s\\n' "kubectl $*" >> {notes}
exec {kubectl} "$@"
"""
"""In kubectl's place: writes its command line down, as the list of processes shows it."""


@functools.cache
def documented() -> frozenset[str]:
    """`command` and `command action` of each line that docs/how-to tells an operator to type."""
    text = "\n".join(path.read_text("utf-8") for path in sorted((CHECKOUT / "docs/how-to").glob("*.md")))
    found = re.findall(r"\./kolab ([a-z]+)(?: ([a-z0-9-]+))?", text)
    return frozenset(word for first, second in found for word in (first, f"{first} {second}".strip()))


@dataclass(frozen=True)
class Console:
    """Runs commands on a stack; none that the documentation does not name."""

    stack: Stack
    folder: Path
    """Of its own: notes and a kubectl that writes them."""

    @property
    def notes(self) -> Path:
        """Every command line that was run, `./kolab` and the kubectl that it ran, and all that was printed."""
        return self.folder / "notes"

    def says(self, *words: str, typed: str = "", code: int = 0) -> str:
        """What `./kolab WORDS` prints, which has to end with `code`. `typed` comes on standard input."""
        done = self.run(*words, typed=typed)
        assert done.returncode == code, (
            f"./kolab {' '.join(words)}: {done.returncode}\n{done.stdout}{done.stderr}"
        )
        return done.stdout + done.stderr

    def data(self, *words: str) -> Any:
        """The same for programs."""
        done = self.run(*words, "--json")
        assert done.returncode == 0, done.stdout + done.stderr
        return json.loads(done.stdout)

    def run(self, *words: str, typed: str = "") -> subprocess.CompletedProcess[str]:
        """The command, whatever comes of it."""
        known = (
            " ".join(words[:2])
            if len(words) > 1 and re.fullmatch("[a-z0-9][a-z0-9-]*", words[1])
            else words[0]
        )
        assert known in documented(), f"no page of docs/how-to names ./kolab {known}"
        line = [sys.executable, "-m", "ops", *words, "--stack", self.stack.mode]
        self._note(f"./kolab {' '.join(words)}")
        # The name of a user's own stack or passphrase is none of the lab's affair.
        variables = {
            key: value for key, value in os.environ.items() if not key.startswith(("PULUMI_", "KOLAB_"))
        }
        done = subprocess.run(
            self.stack.lab.internet.command(line),
            cwd=self.stack.program.root,
            env={**variables, **self.stack.environment, "PATH": f"{self._kubectl()}:{os.environ['PATH']}"},
            input=typed,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        self._note(done.stdout + done.stderr)
        return done

    def _note(self, text: str) -> None:
        with self.notes.open("a") as notes:
            notes.write(f"{text}\n")

    def _kubectl(self) -> Path:
        """A folder for PATH."""
        folder = self.folder / "bin"
        if not folder.exists():
            folder.mkdir()
            real, notes = (shlex.quote(str(path)) for path in (programs.program("kubectl"), self.notes))
            (folder / "kubectl").write_text(_NOTING.format(notes=notes, kubectl=real))
            (folder / "kubectl").chmod(0o755)
        return folder
