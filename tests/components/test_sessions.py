"""People whose mail programs wait for new mail, at the real Cyrus."""

from __future__ import annotations

import re
import socket
from contextlib import ExitStack
from pathlib import Path

import pytest

from model import budget
from tests.support.cyrus import PASSWORD, Cyrus, cyrus
from tests.support.deploy import deploy
from tests.support.ports import free_port
from tests.support.sandbox import PATIENCE
from tests.support.stacks import changed

pytestmark = pytest.mark.thorough

FEW, MANY = 5, 65


def test_a_session_that_waits_takes_what_the_budget_says_within_a_fifth() -> None:
    with cyrus(deploy(changed("single-node", {})), free_port()) as ours:
        few, many = _memory(ours, FEW), _memory(ours, MANY)
    each = (many - few) / (MANY - FEW)
    assert budget.IMAP_SESSION_MIB / 1.2 <= each <= budget.IMAP_SESSION_MIB


def _memory(ours: Cyrus, sessions: int) -> float:
    """MiB of all imapd, each page counted once, while so many people wait for mail (RFC 2177)."""
    with ExitStack() as waiting:
        for number in range(sessions):
            client = socket.create_connection(("127.0.0.1", ours.sandbox.port(11143)), PATIENCE)
            stream = waiting.enter_context(waiting.enter_context(client).makefile("rwb"))
            stream.readline()
            for line in (f"a LOGIN user{number}@example.org {PASSWORD}", "b SELECT INBOX", "c IDLE"):
                stream.write(f"{line}\r\n".encode())
                stream.flush()
                while not (said := stream.readline()).startswith((line[:1].encode(), b"+")):
                    assert said, "Cyrus went away"
                assert b" OK" in said or said.startswith(b"+"), said
        return sum(_proportional(process) for process in _processes(ours))


def _processes(ours: Cyrus) -> list[Path]:
    root = str(ours.sandbox.root).encode()
    found = []
    for file in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            words = file.read_bytes().split(b"\0")
        except OSError:
            continue
        if Path(words[0].decode(errors="replace")).name == "imapd" and any(root in word for word in words):
            found.append(file.parent)
    return found


def _proportional(process: Path) -> float:
    """MiB, of shared pages the process' part."""
    try:
        text = (process / "smaps_rollup").read_text()
    except OSError:
        return 0
    return sum(int(kib) for kib in re.findall(r"(?m)^Pss: +(\d+) kB", text)) / 1024
