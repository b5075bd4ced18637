"""What one wants to see when something failed."""

from __future__ import annotations

import contextlib
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

from tests.lab import network
from tests.lab.errors import LabError
from tests.lab.processes import in_namespace, run

if TYPE_CHECKING:
    from tests.lab.cluster import Lab

_SECONDS = 20


def collect(lab: Lab, directory: Path) -> None:
    """Daemons' and pods' logs, objects, events and packet filters. Never fails: what cannot be had is left out."""
    directory.mkdir(parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        shutil.copytree(lab.state / "logs", directory / "daemons", dirs_exist_ok=True)
    for node in lab.nodes:
        with contextlib.suppress(OSError, shutil.Error):
            # From the disk, so that it works without API server and with the node switched off.
            pods = node.disk / "var" / "log" / "pods"
            shutil.copytree(pods, directory / "pods" / node.name, dirs_exist_ok=True)
    filters = {name: in_namespace(name, ["nft", "list", "ruleset"]) for name in network.existing()}
    commands = {f"{name}.nft": command for name, command in filters.items()}
    for name, command in commands.items():
        with contextlib.suppress(LabError):
            (directory / name).write_text(run(command, seconds=_SECONDS))
    if lab.apiserver.daemon.pid is None:
        return
    for name, arguments in {
        "objects.txt": ["get", "all,pvc,pv,networkpolicies,ingresses,nodes", "-A", "-o", "wide"],
        "events.txt": ["get", "events", "-A", "--sort-by=.lastTimestamp"],
        "pods.txt": ["describe", "pods", "-A"],
        "nodes.txt": ["describe", "nodes"],
    }.items():
        with contextlib.suppress(LabError):
            (directory / name).write_text(lab.kubectl(*arguments, "--request-timeout=10s", seconds=_SECONDS))
