"""unbound: a container of Postfix's pod that validates what DNS says about the servers of receivers."""

from __future__ import annotations

from dataclasses import dataclass

from components.containers import Build, Container, Privileges, Probe, from_config
from components.daemon import DaemonComponent
from model import topology
from model.resolver import PATH


@dataclass(frozen=True, kw_only=True)
class Resolving:
    """What the resolver runs, and its unbound.conf."""

    build: Build
    config: str


def unbound_container(parent: DaemonComponent, args: Resolving) -> Container:
    """The resolver for the pod of `parent`, which owns its ConfigMap."""
    # A name that it knows by itself: the pod stays ready while others are silent, and mail waits in the queue.
    asks = Probe(command=("drill", "localhost.", "@127.0.0.1"), timeout=5)
    return Container(
        name=topology.UNBOUND.name,
        build=args.build,
        privileges=Privileges(
            uid=0,
            gid=0,
            capabilities=("NET_BIND_SERVICE",),
            read_only_root=True,
            reason="resolv.conf can name no other port than 53, which root alone may open, and nothing else is root's here",
        ),
        command=("/usr/sbin/unbound", "-d", "-c", f"{PATH}/unbound.conf"),
        mounts=[
            from_config("unbound", PATH, parent.config("unbound", {"unbound.conf": args.config})),
        ],
        startup=asks.until_up(120),
        readiness=asks,
        liveness=Probe(command=asks.command, period=20, timeout=10, failures=6),
    )
