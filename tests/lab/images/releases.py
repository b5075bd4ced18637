"""Releases of MariaDB in trees of their own, so that data can go from one to the next.

What runs in one has namespaces of its own, the volume and the scripts of a pod as our program renders it, and its user.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.images import pods
from tests.lab.images.container import Machine
from tests.lab.images.trees import tree

_DATA = "/var/lib/mysql/data"
_INSIDE = """
{mounts}
mount --bind /dev "$ROOT/dev" && mount -t proc proc "$ROOT/proc" && mount -t tmpfs -o mode=1777 tmp "$ROOT/tmp"
mount -t tmpfs -o mode=1777 run "$ROOT/run" && mkdir -m 1777 "$ROOT/run/mysqld"
exec chroot --userspec=27:0 "$ROOT" "$@"
"""


@dataclass
class Server:
    """A container of a pod that runs in the tree of a release."""

    process: subprocess.Popen[bytes]
    log: Path

    @property
    def said(self) -> str:
        """What it has said so far."""
        return self.log.read_text(errors="replace")

    def ended(self, seconds: float = 120) -> int:
        """Its exit code."""
        return self.process.wait(seconds)

    def kill(self) -> None:
        """As a node that loses its power: whatever it has started ends with it."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """As a kubelet stops a pod; all its data are written."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self.process.poll() is None:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
            for child in children:
                os.kill(int(child), how)
        code = self.process.wait(120)
        assert how == signal.SIGKILL or code in (0, 128 + how), self.said[-2000:]


def start(
    machine: Machine,
    release: str,
    workload: pods.Workload,
    mounts: Mapping[str, Path],
    *,
    container: int = 0,
    command: Sequence[str] = (),
    more: Mapping[str, str] | None = None,
) -> Server:
    """A container of `workload` in the tree of `release`; `command` runs instead of its own, `more` are variables."""
    root = tree(release)
    spec = workload.containers()[container]
    scripts = machine.folder / f"scripts-{time.monotonic_ns()}"
    mounted = {mount["mountPath"]: workload.volume(mount["name"]) for mount in spec["volumeMounts"]}
    config = workload.found["ConfigMap", mounted["/kolab/entry"]["configMap"]["name"]]
    scripts.mkdir()
    for name, text in config["data"].items():
        (scripts / name).write_text(text)
    binds = {"/kolab/entry": scripts, **mounts}
    lines = "\n".join(f'mount --bind "{source}" "$ROOT{path}" || exit 1' for path, source in binds.items())
    env = {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "ROOT": str(root)}
    log = machine.folder / f"log-{time.monotonic_ns()}"
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["nsenter", f"--net=/run/netns/{machine.network}", "unshare", "--mount", "--pid", "--fork",
             "bash", "-c", _INSIDE.format(mounts=lines), "pod", *(command or spec["command"])],
            env=env | workload.environment(spec) | dict(more or {}),
            stdout=out, stderr=out, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    return Server(process, log)


def volume(machine: Machine, name: str, like: Path | None = None) -> Path:
    """A volume of MariaDB's user, with the content of another one."""
    made = machine.folder / f"{name}-{time.monotonic_ns()}"
    if like:
        subprocess.run(["cp", "-a", str(like), str(made)], check=True)
    else:
        made.mkdir()
        shutil.chown(made, 27, 27)
        made.chmod(0o2775)
    return made
