"""When a daemon of the lab counts as ended."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from tests.lab.processes import began, end
from tests.support.sandbox import wait_for

_FIRST_THREAD_ENDS = """
import ctypes, os, threading, time
threading.Thread(target=time.sleep, args=(60,)).start()
print("ready", flush=True)
# exit(2) of this thread alone
ctypes.CDLL(None).syscall({"x86_64": 60, "aarch64": 93}[os.uname().machine], 0)
"""


def test_a_process_lives_as_long_as_one_of_its_threads() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _FIRST_THREAD_ENDS], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        try:
            wait_for(lambda: _state(process.pid) == "Z")
            assert began(process.pid)
            end([process.pid])
            assert not began(process.pid)
        finally:
            process.kill()


def _state(pid: int) -> str:
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
