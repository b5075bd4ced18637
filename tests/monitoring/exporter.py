"""A real blackbox on loopback, and what it says."""

from __future__ import annotations

import contextlib
import subprocess
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

from tests.monitoring.checkers import program
from tests.support.ports import free_port
from tests.support.sandbox import PATIENCE, wait_for


@contextmanager
def exporting(folder: Path, config: str) -> Iterator[str]:
    """URL of a blackbox that runs with this configuration."""
    file = folder / "blackbox.yml"
    file.write_text(config)
    at = f"127.0.0.1:{free_port()}"
    command = [program("prometheus-blackbox-exporter"), f"--config.file={file}", f"--web.listen-address={at}"]
    running = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        wait_for(lambda: _answers(f"http://{at}/-/healthy"))
        yield f"http://{at}"
    finally:
        running.terminate()
        running.wait(timeout=10)


def _answers(url: str) -> bool:
    with contextlib.suppress(OSError):
        urllib.request.urlopen(url, timeout=PATIENCE).close()  # noqa: S310 (loopback)
        return True
    return False


def numbers(exporter: str, query: Mapping[str, str]) -> dict[str, float]:
    """The numbers that one probe gives; those with labels by their whole name."""
    url = f"{exporter}/probe?{urllib.parse.urlencode(query)}"
    with urllib.request.urlopen(url, timeout=PATIENCE) as answer:  # noqa: S310 (loopback)
        lines = [
            line.rsplit(" ", 1) for line in answer.read().decode().splitlines() if not line.startswith("#")
        ]
    return {name: float(value) for name, value in lines}
