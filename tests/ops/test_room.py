"""What an image brings runs in a room of its own: it sees nothing of this machine, changes nothing, and ends with it."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from ops.room import outside
from ops.room.outside import NoRoom, Task
from tests.support.rooms import needs_room, run, tar

pytestmark = pytest.mark.thorough


@pytest.fixture(autouse=True)
def room() -> None:
    needs_room()


def test_nothing_of_this_machine_is_seen(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PULUMI_CONFIG_PASSPHRASE", "opensesame")
    (tmp_path / "state").write_text("opensesame")
    said = run(
        tmp_path,
        f"env; cat {tmp_path}/state; ls /; ls /home /root /etc/shadow; ls -d /proc/[0-9]*; cat /proc/[0-9]*/environ",
    )
    assert "opensesame" not in said.text
    assert str(tmp_path) not in said.text.replace(f"cat: {tmp_path}/state: No such file or directory", "")
    # The room's own first process, this shell, and what it calls.
    assert len([line for line in said.text.splitlines() if line.startswith("/proc/")]) <= 4
    roots = said.text.splitlines()
    assert {"etc", "usr", "proc", "dev", "tmp"} <= set(roots)
    assert not {"home", "root", "boot", "work"} & set(roots)


def test_nobody_can_be_reached(tmp_path: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.2)
        port = server.getsockname()[1]
        said = run(tmp_path, f"exec 3<>/dev/tcp/127.0.0.1/{port} && echo reached; cat /proc/net/dev")
        with pytest.raises(TimeoutError):
            server.accept()
    assert "reached" not in said.text
    assert [line.split(":")[0].strip() for line in said.text.splitlines() if ":" in line][-1:] == ["lo"]


def test_what_it_writes_is_gone_and_what_it_is_shown_stays_as_it_is(tmp_path: Path) -> None:
    before = sorted(os.listdir("/usr/bin"))
    said = run(
        tmp_path,
        f"touch /usr/bin/kolab-was-here; rm -f /usr/bin/true; mkdir -p {tmp_path}; touch {tmp_path}/x && echo written",
    )
    assert "written" in said.text
    assert sorted(os.listdir("/usr/bin")) == before
    assert not (tmp_path / "x").exists()


@pytest.mark.parametrize(
    ("user", "given", "bits"), [(0, ["CHOWN", "KILL"], 0b100001), (0, [], 0), (1001, [], 0)]
)
def test_it_has_the_rights_of_its_pod_and_no_more(
    tmp_path: Path, user: int, given: list[str], bits: int
) -> None:
    said = run(
        tmp_path,
        "grep -E 'Cap|NoNewPrivs' /proc/self/status; id -u; cat /proc/self/uid_map; mount -t tmpfs x /mnt",
        user=user,
        capabilities=given,
    )
    lines = dict(line.split(":", 1) for line in said.text.splitlines() if ":" in line)
    for kind in ("CapPrm", "CapEff", "CapBnd"):
        assert int(lines[kind], 16) == (bits if user == 0 or kind == "CapBnd" else 0)
    assert lines["NoNewPrivs"].strip() == "1"
    assert str(user) in said.text.splitlines()
    # Not one of this machine's users: its 0 is somebody else outside.
    mapped = next(
        line.split() for line in said.text.splitlines() if line.split()[0] == "0" and len(line.split()) == 3
    )
    assert int(mapped[1]) >= 65536
    assert said.status != 0


def test_only_devices_without_a_memory_are_there(tmp_path: Path) -> None:
    said = run(tmp_path, "cd /dev && ls; mknod /tmp/sda b 8 0 || echo refused", capabilities=["MKNOD"])
    assert set(said.text.split("mknod")[0].split()) == {"fd", "full", "null", "random", "shm", "stderr", "stdin", "stdout", "urandom", "zero"}  # fmt: skip
    assert "refused" in said.text


def test_links_of_an_image_lead_nowhere_else(tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    links = {"out": str(outer), "up": "../../../../../..", "etc/x": f"/proc/1/root{outer}"}
    one = tar(tmp_path / "1.tar", {}, links)
    two = tar(
        tmp_path / "2.tar",
        {"out/file": "1", "up/top": "2", "etc/x/y": "3", "../../esc": "4", "dev/null": "5"},
    )
    three = tar(tmp_path / "3.tar", {"out/file": None, "out/other": "6"})
    said = run(tmp_path, f"cat {outer}/other /top; cat /dev/null; ls /esc {outer}/file", one, two, three)
    assert said.text.startswith("62")
    assert list(outer.iterdir()) == []
    assert not Path("/top").exists()


def test_layers_leave_in_a_room_what_they_leave_in_a_container(tmp_path: Path) -> None:
    one = tar(
        tmp_path / "1.tar", {"a/old": "1", "a/gone": "1", "b/file": "1", "lib2/x.so": "1"}, {"link": "lib2"}
    )
    two = tar(
        tmp_path / "2.tar",
        {"a/gone": None, "a/new": "2", "b": "2", "link/": "", "link/.wh..wh..opq": "", "lib2/y": "2"},
        owner=1001,
    )
    said = run(
        tmp_path, "cd / && find a b link lib2 -type f | sort | xargs stat -c '%n %u'; ls -d link", one, two
    )
    assert said.text.splitlines() == ["a/new 1001", "a/old 0", "b 1001", "lib2/x.so 0", "lib2/y 1001", "link"]


def test_files_of_a_pod_lie_over_those_of_the_image_with_their_modes(tmp_path: Path) -> None:
    one = tar(tmp_path / "1.tar", {"etc/hosts": "the image's", "opt/": ""}, {"kolab": "/opt"})
    said = run(
        tmp_path,
        "cat /etc/hosts; stat -c '%n %a %g' /opt/entry/key /data; id -G; echo x > /data/y && echo writes",
        one,
        files=[("/etc/hosts", 0o644, 0, "the pod's\n"), ("/kolab/entry/key", 0o440, 1001, "k")],
        folders=[("/data", 0o2777, 1001)],
        user=1001,
        groups=[1001],
    )
    assert said.text.splitlines() == [
        "the pod's",
        "/opt/entry/key 440 1001",
        "/data 2777 1001",
        "0 1001",
        "writes",
    ]


def test_what_takes_too_long_is_stopped_with_all_that_it_began(tmp_path: Path) -> None:
    began = time.monotonic()
    said = run(tmp_path, "echo begun; setsid sleep 98765 & sleep 98765", seconds=1)
    assert (said.status, said.text) == (None, "begun\n")
    assert time.monotonic() - began < 60
    assert "98765" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


def test_what_is_left_in_the_background_ends_with_the_command(tmp_path: Path) -> None:
    said = run(tmp_path, "setsid sleep 87654 & exit 70")
    assert said.status == 70
    assert "87654" not in subprocess.run(["ps", "ax"], capture_output=True, text=True, check=True).stdout


def test_an_init_may_open_its_output_anew_as_its_own_user(tmp_path: Path) -> None:
    assert run(tmp_path, "echo one > /dev/stdout; echo two > /dev/stderr", user=1001).text == "one\ntwo\n"


def test_the_end_of_what_is_said_without_end_is_kept(tmp_path: Path) -> None:
    said = run(tmp_path, "yes | head -c 5000000; echo; echo the end")
    assert said.text.endswith("the end\n")
    assert len(said.text) <= 1 << 20


def refused(**more: object) -> str:
    given = {"layers": [], "command": ["/bin/true"], "environment": {}, "user": 0, "group": 0, "seconds": 5}
    with pytest.raises(NoRoom) as reason:
        outside.run(Task(**{**given, **more}))  # type: ignore[arg-type]
    assert str(reason.value).isprintable()
    return str(reason.value)


def test_a_machine_without_a_room_says_why(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "lets no program have a room of its own ([Errno 2]" in refused(shown=["/no/such/folder"])
    broken = tmp_path / "1.tar"
    broken.write_bytes(b"nonsense")
    assert "it cannot be laid out in a room of its own (truncated header)" in refused(layers=[str(broken)])
    monkeypatch.setattr(outside, "_free", lambda: 1 << 20)
    assert refused() == "it needs 256 MB of memory while it is looked at, and 1 are free here"
    monkeypatch.undo()
    monkeypatch.setattr(outside, "_PROGRAM", "raise SystemExit('unshare: Operation not permitted')")
    assert "(unshare: Operation not permitted)" in refused()
    monkeypatch.setattr(sys, "platform", "darwin")
    assert refused() == "this machine does not run Linux"


def test_somebody_else_than_root_needs_users_that_are_set_aside(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 4711)
    monkeypatch.setattr(outside, "_set_aside", lambda _: None)
    assert refused().startswith("only root can, or who has 65536 users set aside for them in /etc/subuid")
    monkeypatch.undo()
    file = tmp_path / "subuid"
    file.write_text(f"other:1:65536\n{os.geteuid()}:100:10\n{os.geteuid()}:200000:65536\n")
    assert outside._set_aside(file) == 200000
    assert outside._set_aside(tmp_path / "none") is None
