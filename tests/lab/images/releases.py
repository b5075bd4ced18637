"""Releases of MariaDB that Debian has had, each with the userland of its time, so that data can go from one to the next.

The lab's images share one base, which has one release. These are whole trees from mmdebstrap, kept beside them; what runs
in one has namespaces of its own, the volume and the scripts of a pod as our program renders it, and its user.
"""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.images import base, build, pods
from tests.lab.images.container import Machine

SUITES = {"10.5": "bullseye", "11.8": "trixie"}
"""Release of MariaDB -> the suite of Debian that has it."""
_HOOKS = {
    # sclorg's user, which Kolab's image has; MariaDB's own knows no user of that number.
    "10.5": ['chroot "$1" usermod -u 27 mysql', 'ln -s true "$1"/bin/contract-check'],
    "11.8": ['rm -f "$1"/usr/bin/mysql*'],
}
_THEIRS = build.RECIPES / "mariadb/rootfs"
"""How Kolab's image starts its server."""
_DATA = "/var/lib/mysql/data"
_INSIDE = """
{mounts}
mount --bind /dev "$ROOT/dev" && mount -t proc proc "$ROOT/proc" && mount -t tmpfs -o mode=1777 tmp "$ROOT/tmp"
mount -t tmpfs -o mode=1777 run "$ROOT/run" && mkdir -m 1777 "$ROOT/run/mysqld"
exec chroot --userspec=27:0 "$ROOT" "$@"
"""


def tree(release: str) -> Path:
    """The root of a release, made when it is missing. Raises LabError when its packages cannot be had."""
    folder = build.home() / build.hash_of(
        sorted(each for each in _THEIRS.rglob("*") if each.is_file()), release, *_HOOKS[release]
    )
    if folder.is_dir():
        return folder / "rootfs"
    build.home().mkdir(parents=True, exist_ok=True)
    scratch = Path(tempfile.mkdtemp(dir=build.home(), prefix=".new-"))
    scratch.chmod(0o755)
    arguments = ["mmdebstrap", "--variant=essential", "--mode=root", "--include=mariadb-server,procps"]
    arguments += [f"--dpkgopt=path-exclude=/usr/share/{each}/*" for each in ("man", "doc", "locale")]
    arguments += [
        '--aptopt=APT::Install-Recommends "false"',
        *(f"--customize-hook={line}" for line in _HOOKS[release]),
        '--customize-hook=rm -rf "$1"/etc/mysql/mariadb.conf.d "$1"/etc/mysql/conf.d "$1"/etc/mysql/my.cnf',
        f"--customize-hook=sync-in {_THEIRS} /",
        f'--customize-hook=chmod 755 "$1"/usr/bin/run-mysqld; mkdir -p "$1"/kolab/entry "$1"/work "$1"/dumps "$1"{_DATA}; chown 27:0 "$1"/var/lib/mysql; chmod 775 "$1"/var/lib/mysql',
        SUITES[release],
        str(scratch / "rootfs"),
        *(_mirror() or []),
    ]
    with (scratch / "log").open("w") as log:
        done = subprocess.run(arguments, stdout=log, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise LabError(
            f"MariaDB {release} could not be had from Debian's {SUITES[release]}: see {scratch}/log"
        )
    (scratch / "lab-image").touch()
    scratch.rename(folder)
    return folder / "rootfs"


def _mirror() -> list[str]:
    """The machine's own mirror, where apt has one."""
    for source in base.sources():
        for line in Path(source).read_text().splitlines():
            if line.startswith("URIs:"):
                return [line.split()[1]]
    return []


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
