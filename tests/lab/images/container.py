"""Containers without a cluster: runc, one shared network, files and volumes below one folder that is removed at the end."""

from __future__ import annotations

import json
import os
import secrets
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from model import topology
from tests.lab.errors import LabError
from tests.lab.images import build, oci
from tests.lab.images.contract import Image
from tests.lab.images.layer import overlay
from tests.lab.images.places import home

ADDRESS = "10.244.0.2"
"""What daemons see of each other: not 127.0.0.1, which several of them trust."""

PROGRAMS = {"runc": "runc", "ip": "iproute2", "nsenter": "util-linux"}


@dataclass(frozen=True)
class Start:
    """How a container is started; mounts map a path to a folder or file of this machine."""

    image: Image
    env: Mapping[str, str] = field(default_factory=dict)
    mounts: Mapping[str, Path] = field(default_factory=dict)
    uid: int | None = None
    gid: int = 0
    groups: Sequence[int] = ()
    read_only: bool = False
    capabilities: Sequence[str] = ()
    escalation: bool = False
    command: Sequence[str] = ()


class Container:
    """A running (or ended) container."""

    def __init__(self, name: str, bundle: Path) -> None:
        self.name, self.log = name, bundle / "log"
        with self.log.open("wb") as out:
            # nginx opens its log by path, as its own user.
            self.log.chmod(0o666)
            self.process = subprocess.Popen(
                ["runc", "run", "--bundle", str(bundle), name],
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
            )

    @property
    def output(self) -> str:
        """What it has written so far."""
        return self.log.read_text(errors="replace")

    def exited(self, seconds: float) -> int | None:
        """Its exit code, or None if it still runs after so long."""
        try:
            return self.process.wait(seconds)
        except subprocess.TimeoutExpired:
            return None

    def run(self, *command: str, seconds: float = 60) -> subprocess.CompletedProcess[str]:
        """A command inside, as kubectl exec."""
        return subprocess.run(
            ["runc", "exec", self.name, *command],
            capture_output=True,
            text=True,
            timeout=seconds,
            check=False,
        )

    def wait_ready(self, probe: str, seconds: float) -> float:
        """Seconds until the shell command `probe` succeeds inside. Raises LabError with the container's last words."""
        started = time.monotonic()
        while time.monotonic() - started < seconds:
            if self.process.poll() is not None:
                raise LabError(f"{self.name} left with {self.process.returncode}: {self._tail()}")
            if self.run("/bin/bash", "-c", probe).returncode == 0:
                return time.monotonic() - started
            time.sleep(0.2)
        raise LabError(f"{self.name} was not ready within {seconds:.0f} s: {self._tail()}")

    def stop(self, seconds: float = 15) -> int | None:
        """SIGTERM, and the exit code; None when it had to be killed."""
        subprocess.run(["runc", "kill", self.name, "TERM"], capture_output=True, check=False)
        return self.exited(seconds)

    def remove(self) -> None:
        """Whatever is left of it."""
        subprocess.run(["runc", "delete", "--force", self.name], capture_output=True, check=False)
        self.process.wait(15)

    def _tail(self) -> str:
        return " / ".join(self.output.strip().splitlines()[-5:])


class Machine:
    """A network of its own, in which every name of the stack is ADDRESS, and the containers in it."""

    def __init__(self, folder: Path, network: str, stack: ExitStack) -> None:
        self.folder, self.network, self._stack = folder, network, stack
        names = " ".join(
            thing.name for thing in vars(topology).values() if isinstance(thing, topology.Daemon)
        )
        (folder / "hosts").write_text(f"127.0.0.1 localhost\n{ADDRESS} {names}\n")
        (folder / "resolv.conf").write_text("nameserver 127.0.0.1\noptions timeout:5 attempts:2\n")

    def add_name(self, name: str) -> None:
        """One more name of ADDRESS, for containers that are started from now on."""
        with (self.folder / "hosts").open("a") as hosts:
            hosts.write(f"{ADDRESS} {name}\n")

    def start(self, wanted: Start) -> Container:
        """Start a container; it is removed when the machine goes."""
        name = f"{self.network}-{wanted.image.name}-{secrets.token_hex(4)}"
        bundle = self.folder / name
        bundle.mkdir()
        lower = [build.image_folder(wanted.image) / "upper", build.below(wanted.image)]
        root = self._stack.enter_context(overlay(lower, bundle))
        for path, source in wanted.mounts.items():
            _mount_point(root / path.lstrip("/"), source)
        (bundle / "config.json").write_text(json.dumps(self._config(wanted, root)))
        container = Container(name, bundle)
        self._stack.callback(container.remove)
        return container

    def volume(self, name: str, group: int = 0) -> Path:
        """A folder that outlives containers, opened to `group` as an fsGroup does."""
        folder = self.folder / "volumes" / name.strip("/").replace("/", "-")
        if not folder.exists():
            folder.mkdir(parents=True)
            os.chown(folder, 0, group)
            folder.chmod(0o2775 if group else 0o755)
        return folder

    def _config(self, wanted: Start, root: Path) -> dict[str, Any]:
        image = wanted.image
        uid = int(image.user) if wanted.uid is None else wanted.uid
        capabilities = [f"CAP_{name}" for name in wanted.capabilities]
        env = {"PATH": oci.PATH, **image.env, **wanted.env}
        mounts = [_mount(path, str(source)) for path, source in wanted.mounts.items()]
        mounts += [_mount(f"/etc/{name}", str(self.folder / name)) for name in ("hosts", "resolv.conf")]
        spaces = [{"type": kind} for kind in ("pid", "mount", "ipc", "uts")]
        return {
            "ociVersion": "1.0.2",
            "hostname": image.name,
            "root": {"path": str(root), "readonly": wanted.read_only},
            "process": {
                "user": {"uid": uid, "gid": wanted.gid, "additionalGids": list(wanted.groups)},
                "args": list(wanted.command or [*image.entrypoint, *image.command]),
                "env": [f"{key}={value}" for key, value in env.items()],
                "cwd": "/opt/app-root/src",
                "noNewPrivileges": not wanted.escalation,
                "capabilities": {
                    "bounding": capabilities,
                    "permitted": capabilities if uid == 0 else [],
                    "effective": capabilities if uid == 0 else [],
                },
            },
            "mounts": [*_SYSTEM_MOUNTS, *mounts],
            "linux": {"namespaces": [*spaces, {"type": "network", "path": f"/run/netns/{self.network}"}]},
        }


@contextmanager
def machine() -> Iterator[Machine]:
    """A place for containers. Leaves no process, mount, namespace or file behind."""
    missing = [package for program, package in PROGRAMS.items() if shutil.which(program) is None]
    if missing:
        raise LabError(f"missing Debian packages: {', '.join(missing)}")
    if os.geteuid():
        raise LabError("containers are started with runc, which needs root here")
    network = f"kolab-try-{os.getpid()}"
    home().mkdir(parents=True, exist_ok=True)
    # Not in /tmp: in memory, nothing would look like a volume.
    with tempfile.TemporaryDirectory(dir=home(), prefix=".try-") as folder, ExitStack() as stack:
        Path(folder).chmod(0o755)
        subprocess.run(["ip", "netns", "add", network], check=True)
        stack.callback(subprocess.run, ["ip", "netns", "del", network], check=True)
        inside = ["nsenter", f"--net=/run/netns/{network}"]
        for words in (
            "link set lo up",
            # coturn does not count the addresses of a loopback interface.
            "link add pod type veth peer name other",
            "link set other up",
            "link set pod up",
            f"address add {ADDRESS}/24 dev pod",
        ):
            subprocess.run([*inside, "ip", *words.split()], check=True)
        yield Machine(Path(folder), network, stack)


def _mount_point(target: Path, source: Path) -> None:
    if source.is_dir():
        target.mkdir(parents=True, exist_ok=True)
    else:
        target.parent.mkdir(parents=True, exist_ok=True)
        target.touch()


def _mount(path: str, source: str) -> dict[str, Any]:
    return {"destination": path, "type": "bind", "source": source, "options": ["rbind", "rw"]}


_SYSTEM_MOUNTS = [
    {"destination": "/proc", "type": "proc", "source": "proc"},
    {"destination": "/dev", "type": "tmpfs", "source": "tmpfs", "options": ["nosuid", "mode=755"]},
    {
        "destination": "/dev/pts",
        "type": "devpts",
        "source": "devpts",
        "options": ["newinstance", "ptmxmode=0666"],
    },
    {
        "destination": "/dev/shm",
        "type": "tmpfs",
        "source": "shm",
        "options": ["nosuid", "nodev", "mode=1777"],
    },
    {"destination": "/sys", "type": "sysfs", "source": "sysfs", "options": ["ro"]},
]
