"""After `down`, and after an `up` that was interrupted, the machine is as it was."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.lab import cgroups, network, paths, processes
from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.lab.processes import run
from tests.lab.settings import Settings

pytestmark = pytest.mark.acceptance

_COMMAND = [sys.executable, "-m", "tests.lab"]
# Where nodes mount their own.
_PLACES = ("/var/lib/kubelet", "/var/lib/containerd", "/var/lib/cni", "/var/log/pods", "/var/log/containers")


@pytest.fixture(autouse=True)
def _no_lab() -> Iterator[None]:
    if Lab.running() is not None:
        pytest.skip("a lab is up that is not ours: make lab-down")
    yield
    Lab().down()


def remains() -> dict[str, list[str]]:
    """What a lab could leave behind on this machine, on which others may be busy as well."""
    mounts = [line.split()[4] for line in Path("/proc/self/mountinfo").read_text().splitlines()]
    interfaces = [each["ifname"] for each in json.loads(run(["ip", "-json", "link"]))]
    files = [*_PLACES, str(paths.MARK), str(paths.state())]
    return {
        "network namespaces": network.existing(),
        "interfaces": [name for name in interfaces if name.startswith("lab")],
        "routes": [
            line for line in run(["ip", "route", "show", "table", "all"]).splitlines() if "lab" in line
        ],
        "mounts": sorted(path for path in mounts if path.startswith((*files, "/run/netns/lab-"))),
        "control groups": [str(path) for path in cgroups.existing()],
        "files": [path for path in files if Path(path).exists()],
        "processes": [str(pid) for pid in processes.marked(paths.state())],
        "programs": sorted(_programs()),
    }


def _programs() -> Iterator[str]:
    """What runs and was built by the lab."""
    for exe in Path("/proc").glob("[0-9]*/exe"):
        with contextlib.suppress(OSError):
            target = exe.readlink()
            if target.is_relative_to(paths.cache() / "programs"):
                yield str(target)


def _family(pid: int) -> Iterator[int]:
    """A process and all that came of it: of a node also its pods."""
    yield pid
    with contextlib.suppress(OSError):
        for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split():
            yield from _family(int(child))


def start(*arguments: str) -> subprocess.Popen[str]:
    """The command, as a user would start it."""
    environment = {**os.environ, "PYTHONPATH": str(paths.CHECKOUT)}
    return subprocess.Popen([*_COMMAND, *arguments], text=True, stderr=subprocess.PIPE, env=environment)


def read_until(process: subprocess.Popen[str], text: str) -> None:
    """Until it says `text`."""
    assert process.stderr is not None
    said = []
    for line in process.stderr:
        said.append(line)
        if text in line:
            return
    pytest.fail(f"it ended and never said {text!r}, but: {''.join(said)}")


def test_down_leaves_nothing(tmp_path: Path) -> None:
    before = remains()
    lab = Lab().up()
    assert lab.up() is lab, "a second up changes nothing"
    with pytest.raises(LabError, match="with other settings"):
        Lab(Settings(nodes=1)).up()
    server = lab.internet.start(["sleep", "1000"])
    lab.logs(tmp_path)
    assert (tmp_path / "events.txt").read_text()
    family = {pid: processes.began(pid) for node in lab.nodes for pid in _family(node.daemon.pid or 0)}
    assert len(family) > 20
    lab.down()
    server.wait()
    assert [pid for pid, born in family.items() if processes.began(pid) == born != ""] == []
    assert remains() == before
    lab.down()
    assert remains() == before, "a second down changes nothing"


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("moment", ["network", "control plane is ready", "nodes are ready"])
def test_an_interrupted_up_leaves_nothing(number: signal.Signals, moment: str) -> None:
    before = remains()
    process = start("up")
    read_until(process, moment)
    process.send_signal(number)
    process.communicate(timeout=60)
    assert process.returncode in {130, 128 + number}
    assert remains() == before


def test_down_removes_what_a_killed_up_left() -> None:
    before = remains()
    process = start("up")
    read_until(process, "control plane is ready")
    process.kill()
    process.communicate(timeout=60)
    assert remains() != before
    assert start("down").wait(timeout=60) == 0
    assert remains() == before
