"""After `down`, and after an `up` that was interrupted, the machine is as it was."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import cgroups, paths, processes
from tests.lab.cluster import Lab
from tests.lab.processes import run
from tests.lab.progress import wait_until

pytestmark = pytest.mark.acceptance

_COMMAND = [sys.executable, "-m", "tests.lab"]
_NAMESPACES = ("net", "mnt", "pid", "uts", "ipc")


@pytest.fixture(autouse=True)
def _no_lab() -> Iterator[None]:
    if Lab.running() is not None:
        pytest.skip("a lab is up that is not ours: make lab-down")
    yield
    Lab().down()


def remains() -> dict[str, list[str]]:
    """What a lab could leave behind. Of processes those that run the lab's programs or are in foreign namespaces."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    # The places on this machine where nodes mount their own.
    places = [
        "/var/lib/kubelet",
        "/var/lib/containerd",
        "/var/lib/cni",
        "/var/log/pods",
        "/var/log/containers",
    ]
    files = [*places, "/run/netns", str(paths.MARK), str(paths.LOCK), str(paths.state())]
    return {
        "network namespaces": run(["ip", "netns", "list"]).splitlines(),
        "interfaces": sorted(each["ifname"] for each in json.loads(run(["ip", "-json", "link"]))),
        "routes": sorted(run(["ip", "route", "show", "table", "all"]).splitlines()),
        "mounts": sorted(mounts),
        "control groups": [str(path) for path in cgroups.existing()],
        "files": [path for path in files if Path(path).exists()],
        "processes": [str(pid) for pid in processes.marked(paths.state())],
        "programs": sorted(_programs()),
        "namespaces": sorted(_namespaces()),
    }


def _programs() -> Iterator[str]:
    for exe in Path("/proc").glob("[0-9]*/exe"):
        try:
            target = os.readlink(exe)
        except OSError:
            continue
        if target.startswith(str(paths.cache())) or Path(target).name.startswith("containerd"):
            yield target


def _namespaces() -> set[str]:
    """Namespaces that some process is in."""
    found = set()
    for kind in _NAMESPACES:
        for link in Path("/proc").glob(f"[0-9]*/ns/{kind}"):
            try:
                found.add(os.readlink(link))
            except OSError:
                continue
    return found


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command, as a user would start it."""
    environment = {**os.environ, "PYTHONPATH": str(paths.CHECKOUT)}
    return subprocess.Popen([*_COMMAND, *arguments], text=True, stderr=subprocess.PIPE, env=environment)


def test_down_leaves_nothing(tmp_path: Path) -> None:
    before = remains()
    lab = Lab().up()
    assert lab.up() is lab, "a second up changes nothing"
    server = lab.internet.start(["sleep", "1000"])
    lab.logs(tmp_path)
    assert (tmp_path / "events.txt").read_text()
    lab.down()
    server.wait()
    assert remains() == before
    lab.down()
    assert remains() == before, "a second down changes nothing"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["network", "control plane is ready", "nodes are ready"])
def test_an_interrupted_up_leaves_nothing(number: signal.Signals, moment: str) -> None:
    before = remains()
    process = start("up")
    assert process.stderr is not None
    wait_until(f"up says {moment}", lambda: moment in process.stderr.readline(), every=0)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in {130, 128 + number}
    assert remains() == before


def test_down_removes_what_a_killed_up_left() -> None:
    before = remains()
    process = start("up")
    assert process.stderr is not None
    wait_until("the control plane runs", lambda: "control plane" in process.stderr.readline(), every=0)
    process.kill()
    process.communicate(timeout=60)
    assert remains() != before
    assert start("down").wait(timeout=60) == 0
    assert remains() == before
