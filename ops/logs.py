"""`./kolab logs`: what a daemon says, in all its pods."""

from __future__ import annotations

import argparse
import re
import subprocess
from typing import Any

from model import topology
from model.monitoring.places import logs_namespace
from model.settings import Settings
from ops.frame import add_stack
from ops.kubectl import Kubectl
from ops.stacks import StackFile, StackProblem

_CONTAINER = {"postfix-exporter": "metrics"}
"""Container of a sidecar that is not called like it."""
_DURATION = re.compile(r"[1-9][0-9]*[smh]")


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser("logs", help="what a daemon says, in all its pods")
    parser.add_argument("daemon", help="such as postfix, amavis, imap, proxy, webapp")
    add_stack(parser)
    add_since(parser, "1h")
    parser.add_argument("--follow", action="store_true", help="go on until interrupted")
    parser.add_argument("--previous", action="store_true", help="of the containers before their last restart")
    parser.set_defaults(run=run)


def add_since(parser: argparse.ArgumentParser, default: str) -> None:
    """How far back logs are read."""
    parser.add_argument(
        "--since", default=default, metavar="TIME", help="such as 10m or 2h; default %(default)s"
    )


def since_of(options: argparse.Namespace) -> str:
    """What --since says. Raises StackProblem for what kubectl would not take."""
    since: str = options.since
    if not _DURATION.fullmatch(since):
        raise StackProblem("--since must be a number and s, m or h, such as 10m")
    return since


def place(settings: Settings, name: str) -> tuple[str, str, str | None]:
    """Daemon whose pods are meant, namespace, and container (None for all). Raises StackProblem for what does not run."""
    known: dict[str, tuple[str, str, str | None]] = {}
    for daemon in topology.daemons(settings):
        namespace = logs_namespace(settings) if daemon is topology.VECTOR else settings.kubernetes.namespace
        sidecars = topology.sidecars(settings, daemon)
        known[daemon.name] = (daemon.name, namespace, daemon.name if sidecars else None)
        for sidecar in sidecars:
            known[sidecar.name] = (daemon.name, namespace, _CONTAINER.get(sidecar.name, sidecar.name))
    if name not in known:
        raise StackProblem(f"{name!r} does not run in this stack; there are {', '.join(sorted(known))}")
    return known[name]


def run(options: argparse.Namespace) -> int:
    """Hands kubectl's output through, line by line."""
    settings, _ = StackFile.read(options.stack).settings()
    since = since_of(options)
    daemon, namespace, container = place(settings, options.daemon)
    cluster = Kubectl.of(settings)
    chosen = ["--container", container] if container else ["--all-containers"]
    line = [
        "kubectl", "--context", cluster.context, "--namespace", namespace, "logs",
        "--selector", f"app.kubernetes.io/name={daemon}", *chosen, "--prefix", "--timestamps",
        "--tail=-1", f"--since={since}", "--max-log-requests=20", "--ignore-errors",
        *(["--follow"] if options.follow else []), *(["--previous"] if options.previous else []),
    ]  # fmt: skip
    return subprocess.run(line, check=False).returncode
