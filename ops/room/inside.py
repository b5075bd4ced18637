"""The program that makes a room, lays an image into it, and runs one command there. It needs Python alone.

It is told what to do by one line of JSON (outside.py, `Task`), and answers with one: {"cannot": why} when this machine has
no room for it, else {"status": N or null, "said": text}. Status null: it was stopped when its seconds were over.
"""

from __future__ import annotations

import json
import os
import resource
import select
import signal
import stat
import sys
import time
from typing import Any, NoReturn

from ops.room import linux, unpack

_AT = "/tmp"  # noqa: S108 - what is mounted there is seen by this program alone
"""Where the room is put together; a folder that every machine has."""
_DEVICES = ("null", "zero", "full", "random", "urandom")
_LINKS = {"fd": "/proc/self/fd", "stdin": "fd/0", "stdout": "fd/1", "stderr": "fd/2"}
NO_ROOM = "this machine lets no program have a room of its own"
_PROCESSES = 2048
_MOST = 1 << 20
"""Bytes of what is said that are kept."""
_WAIT = 0.2
"""Seconds between two looks at what runs, and for its last words."""


def main() -> None:
    """Does one task, and answers on standard output."""
    try:
        linux.unshare(linux.NEW_ROOM)
        print("ready", flush=True)
        task = json.loads(sys.stdin.readline())
        _alone(task)
    except Exception as error:
        _answer(cannot=f"{NO_ROOM} ({error or type(error).__name__})")


def _alone(task: dict[str, Any]) -> None:
    """Goes on as user 0 of the room, as its first process; when that ends, so does all else in it."""
    # While they can still be seen.
    layers = [open(path, "rb") for path in task["layers"]]  # noqa: SIM115
    os.setgroups([])
    os.setresgid(0, 0, 0)
    os.setresuid(0, 0, 0)
    linux.end_with_parent(signal.SIGKILL)
    first = os.fork()
    if first:
        os.waitpid(first, 0)
        return
    try:
        linux.end_with_parent(signal.SIGKILL)
        _furnish(task)
    except Exception as error:
        _answer(cannot=f"{NO_ROOM} ({error or type(error).__name__})")
        os._exit(1)
    try:
        for layer in layers:
            unpack.lay(layer)
            layer.close()
        _fill(task)
    except Exception as error:
        _answer(cannot=f"it cannot be laid out in a room of its own ({error or type(error).__name__})")
        os._exit(1)
    _watch(task)
    os._exit(0)


def _furnish(task: dict[str, Any]) -> None:
    """The empty room: its own memory, processes, devices and loopback, and no way back."""
    linux.mount("none", "/", flags=linux.PRIVATE | linux.RECURSIVE)
    linux.mount(
        "room",
        _AT,
        "tmpfs",
        linux.NO_DEVICES | linux.NO_SET_UID * (not task["escalation"]),
        f"mode=755,size={task['bytes']}",
    )
    for folder in ("proc", "dev", "sys"):
        os.mkdir(f"{_AT}/{folder}")
    linux.mount("proc", f"{_AT}/proc", "proc", linux.NO_DEVICES | linux.NO_EXECUTION | linux.NO_SET_UID)
    for device in _DEVICES:
        os.close(os.open(f"{_AT}/dev/{device}", os.O_CREAT | os.O_WRONLY))
        linux.mount(f"/dev/{device}", f"{_AT}/dev/{device}", flags=linux.BIND)
    for name, target in _LINKS.items():
        os.symlink(target, f"{_AT}/dev/{name}")
    shared = _made(f"{_AT}/dev/shm")  # noqa: S108 - the room's own
    linux.mount("shm", shared, "tmpfs", linux.NO_DEVICES | linux.NO_SET_UID, "mode=1777,size=64m")
    for folder in task["shown"]:
        os.makedirs(f"{_AT}{folder}")
        linux.mount(folder, f"{_AT}{folder}", flags=linux.BIND | linux.RECURSIVE)
        linux.mount("none", f"{_AT}{folder}", flags=linux.BIND | linux.REMOUNT | linux.READ_ONLY)
    linux.loopback_up()
    linux.change_root(_AT)


def _made(folder: str) -> str:
    os.mkdir(folder)
    return folder


def _fill(task: dict[str, Any]) -> None:
    """What the pod adds to its image: folders and files, in order."""
    for path, mode, group in task["folders"]:
        os.makedirs(path, exist_ok=True)
        os.chown(path, -1, group)
        os.chmod(path, mode)
    for path, mode, group, text in task["files"]:
        os.makedirs(os.path.dirname(path), exist_ok=True)
        if os.path.lexists(path):
            os.unlink(path)
        with open(path, "w", encoding="utf-8") as file:
            file.write(text)
        os.chown(path, 0, group)
        os.chmod(path, mode)


def _watch(task: dict[str, Any]) -> None:
    """Runs the command, and answers how it ended and what it said."""
    reading, writing = os.pipe()
    # An init opens /dev/stdout anew, as its own user.
    os.fchown(writing, task["user"], task["group"])
    process = os.fork()
    if not process:
        _become(task, writing)
    os.close(writing)
    said, status, deadline = bytearray(), None, time.monotonic() + task["seconds"]
    while time.monotonic() < deadline:
        _listen(reading, said)
        ended = _ended(process)
        if ended is not None:
            status = ended
            _listen(reading, said)
            break
    _answer(status=status, said=said.decode("utf-8", "replace"))


def _listen(reading: int, said: bytearray) -> None:
    """Takes what is said within a moment. What runs on in the background may say nothing for ever."""
    until = time.monotonic() + _WAIT
    while (left := until - time.monotonic()) > 0 and select.select([reading], [], [], left)[0]:
        part = os.read(reading, 1 << 16)
        if not part:
            time.sleep(left)
            return
        said += part
        # The end counts: there stands why.
        del said[:-_MOST]


def _ended(process: int) -> int | None:
    """Exit code of a process, as a shell has it; None while it runs. Orphans are buried."""
    while True:
        try:
            found, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return None
        if not found:
            return None
        if found == process:
            code = os.waitstatus_to_exitcode(status)
            return code if code >= 0 else 128 - code


def _become(task: dict[str, Any], writing: int) -> NoReturn:
    """The command, with the pod's user and no more than its rights."""
    try:
        os.setsid()
        os.dup2(os.open("/dev/null", os.O_RDONLY), 0)
        os.dup2(writing, 1)
        os.dup2(writing, 2)
        os.closerange(3, 4096)
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        resource.setrlimit(resource.RLIMIT_NPROC, (_PROCESSES, _PROCESSES))
        kept = {linux.CAPABILITIES[name] for name in task["capabilities"]}
        for each in range(1, signal.NSIG):
            if each not in (signal.SIGKILL, signal.SIGSTOP) and signal.getsignal(each) is not None:
                signal.signal(each, signal.SIG_DFL)
        # Bounds are lowered first, which needs the rights that go with the user.
        linux.keep_capabilities(kept, escalation=task["escalation"])
        os.setgroups(task["groups"])
        os.setresgid(task["group"], task["group"], task["group"])
        os.setresuid(task["user"], task["user"], task["user"])
        os.umask(stat.S_IWGRP | stat.S_IWOTH)
        os.chdir(task["folder"] if os.path.isdir(task["folder"]) else "/")
        os.execve(task["command"][0], task["command"], task["environment"])  # noqa: S606 - what all of this is for
    except Exception as error:
        os.write(2, f"{task['command'][0]} cannot be run: {error}\n".encode())
    os._exit(126)


def _answer(**answer: Any) -> None:
    print(json.dumps(answer), flush=True)


if __name__ == "__main__":
    main()
