"""coturn: TURN relay for Meet clients that can reach the world over TCP only.

On our own configuration: the image's script runs the shared secret as a command, and what starts then relays
for anybody.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import pulumi

from components.containers import Build, Container, Privileges, Probe, from_secret, scratch
from components.daemon import DaemonComponent, Site
from components.pods import Pod, Public
from model import topology

_CONFIG = "/kolab/turn"


@dataclass(frozen=True, kw_only=True)
class CoturnArgs:
    """Inputs of Coturn. `peers` are the only addresses it relays to: Meet's."""

    build: Build
    realm: str
    peers: Sequence[str]
    secret: pulumi.Input[str]
    public: Public


class Coturn(DaemonComponent):
    """TURN with temporary credentials that the web application's Meet hands out. Reached on its public address."""

    def __init__(
        self, name: str, site: Site, args: CoturnArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.TURN, name, site, opts)
        config = self.secret(
            "config",
            {
                "turnserver.conf": pulumi.Output.concat(
                    _configuration(args), "static-auth-secret=", args.secret, "\n"
                )
            },
        )
        self.serve()
        listens = Probe(tcp=True, port="turn")
        container = Container(
            name="coturn",
            build=args.build,
            privileges=Privileges(read_only_root=True),
            command=("/usr/bin/turnserver", "-c", f"{_CONFIG}/turnserver.conf"),
            mounts=[
                from_secret("config", _CONFIG, config, mode=0o444),
                scratch("run", "/tmp"),
                scratch("db", "/var/lib/coturn"),
            ],
            ports=self.daemon.ports,
            host_ports=args.public.host_ports,
            startup=listens.until_up(60),
            readiness=listens,
            liveness=Probe(tcp=True, port="turn", period=20, failures=6),
        )
        self.deployment(
            # As PID 1 it ignores SIGTERM, and there is nothing that it could finish.
            Pod(containers=[container], placement=args.public.placement, edge=args.public.edge, grace=5),
            alone=args.public.edge,
        )
        self.register_outputs({})


def _configuration(args: CoturnArgs) -> str:
    """turnserver.conf without its secret (coturn: turnserver(1))."""
    first, last = topology.TURN_RELAY_PORTS
    lines = [
        f"listening-port={topology.TURN.port('turn').number}",
        f"realm={args.realm}",
        f"server-name={args.realm}",
        # No external-ip: where Meet has the same address, coturn would take Meet for itself and refuse the peer. Its
        # own relay address matters to nobody, since Meet answers whoever it hears from.
        f"min-port={first}",
        f"max-port={last}",
        "use-auth-secret",
        "fingerprint",
        "stale-nonce=600",
        # Relays to Meet and to nothing else: not to private ranges, metadata services or the rest of the world.
        "denied-peer-ip=0.0.0.0-255.255.255.255",
        "denied-peer-ip=::-ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff",
        *(f"allowed-peer-ip={peer}" for peer in dict.fromkeys(args.peers)),
        "no-multicast-peers",
        "no-tcp-relay",
        "no-cli",
        "no-tls",
        "no-dtls",
        "user-quota=12",
        f"total-quota={topology.TURN_ALLOCATIONS}",
        "log-file=stdout",
        "simple-log",
        "pidfile=/tmp/turnserver.pid",
    ]
    return "\n".join(lines) + "\n"
