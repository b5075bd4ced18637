"""Meet: video conferences (mediasoup). One pod: rooms live in its memory."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import Build, Container, Privileges, Probe
from components.daemon import DaemonComponent, Site
from components.pods import Pod, Public
from model import topology
from model.topology import Port


@dataclass(frozen=True, kw_only=True)
class MeetArgs:
    """Inputs of Meet. `public_address` is what browsers send media to; `website_address` reaches the website from
    inside, None where only DNS knows how."""

    build: Build
    website: str
    website_address: str | None
    public_address: str
    media: tuple[Port, ...]
    workers: int
    turn: str | None
    public: Public
    server_token: pulumi.Input[str]
    webhook_token: pulumi.Input[str]
    turn_secret: pulumi.Input[str]


class Meet(DaemonComponent):
    """The media server. Reached at topology.MEET; media go to its public address directly."""

    def __init__(
        self, name: str, site: Site, args: MeetArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.MEET, name, site, opts)
        credentials = self.secret(
            "credentials",
            {
                "AUTH_TOKEN": args.server_token,
                "WEBHOOK_TOKEN": args.webhook_token,
                "TURN_STATIC_SECRET": args.turn_secret,
            },
        )
        self.serve()
        port = self.daemon.port("http")
        healthy = entry.command("ping.js", interpreter="node")
        container = Container(
            name="meet",
            build=args.build,
            privileges=Privileges(
                uid=0, reason="the image has no user of its own; it gets root without any capability"
            ),
            env={
                "LISTENING_HOST": "0.0.0.0",
                "LISTENING_PORT": str(port.number),
                # The proxy ends TLS; browsers still have to be told wss://.
                "SSL_CERT": "none",
                "FORCE_WSS": "true",
                "PUBLIC_DOMAIN": args.website,
                "WEBRTC_LISTEN_IP": "0.0.0.0",
                "WEBRTC_ANNOUNCED_ADDRESS": args.public_address,
                # One port per worker, and as many workers as the node has CPUs unless told.
                "MEDIASOUP_NUM_WORKERS": str(args.workers),
                # The host name must be the website's: the web application's route is bound to it.
                "WEBHOOK_URL": f"https://{args.website}/api/webhooks/meet",
                # UDP reaches Meet itself. A relay is for clients that have nothing but TCP.
                "TURN_SERVER": f"turn:{args.turn}:{topology.TURN.port('turn').number}?transport=tcp"
                if args.turn
                else "none",
                "DEBUG": "kolabmeet-server:ERROR* mediasoup:ERROR*",
            },
            secrets=[credentials],
            mounts=[self.scripts("meet")],
            ports=(*self.daemon.ports, *args.media),
            host_ports=args.public.host_ports,
            startup=Probe(command=healthy, timeout=5).until_up(300),
            readiness=Probe(command=healthy, timeout=5),
            liveness=Probe(command=healthy, period=20, timeout=10, failures=6),
        )
        run = Pod(
            containers=[container],
            placement=args.public.placement,
            edge=args.public.edge,
            # The website's public address may not be reachable from inside (no hairpin at the router).
            host_aliases={args.website_address: [args.website]} if args.website_address else {},
        )
        self.deployment(run, recreate=True)
        self.register_outputs({})
