"""Stands where kubectl is, for commands in containers: runs them on this machine, in the sandbox that stands for the pod."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

_PROGRAM = r"""#!/usr/bin/python3
import json, os, re, sys
told = json.loads(open(os.path.join(os.path.dirname(sys.argv[0]), "told.json")).read())
words = sys.argv[1:]
at = words.index("--")
container = words[words.index("-c", words.index("exec")) + 1] if words.index("-c") < at else ""
with open(os.path.join(os.path.dirname(sys.argv[0]), "calls"), "a") as calls:
    calls.write(json.dumps(words) + "\n")
if container in told["answers"]:
    print(told["answers"][container])
    sys.exit()
command = [re.sub(r"(?<![\w./$}-])(?=/var/lib/imap\b)", told["root"], word) for word in words[at + 1:]]
cut = told["cut"].get(container)
if cut and " -X -N" in command[-1]:
    command = ["/bin/bash", "-c", 'stdbuf -o0 head -c "$0" | { exec 3<&0; "$@" <&3; }; exit 1', str(cut), *command]
os.execvpe(command[0], command, told["env"][container])
"""


@dataclass(frozen=True)
class Kubectl:
    """A `kubectl` in `folder`. `env`: container -> its variables; `answers`: container -> what any command in it prints."""

    folder: Path
    root: Path
    env: Mapping[str, Mapping[str, str]]
    answers: Mapping[str, str]

    def put(self, cut: Mapping[str, int] | None = None) -> None:
        """Writes it. `cut`: container -> after so many bytes nothing more reaches an imapd in it."""
        self.folder.mkdir(exist_ok=True)
        program = self.folder / "kubectl"
        program.write_text(_PROGRAM)
        program.chmod(0o755)
        told = {"root": str(self.root), "env": self.env, "answers": self.answers, "cut": cut or {}}
        (self.folder / "told.json").write_text(json.dumps(told))

    @property
    def calls(self) -> str:
        """Every command line, one a line, as JSON."""
        return (self.folder / "calls").read_text()
