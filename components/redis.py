"""Redis: job queue, cache, webmail sessions. One instance."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import KOLAB_USER, Build, Container, Probe, from_claim
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from model import topology
from model.settings import Volume
from model.types import bytes_of

_DATA = "/var/lib/redis/data"
"""The folder itself must be the volume: an empty one at /var/lib/redis hides it and Redis exits."""


@dataclass(frozen=True, kw_only=True)
class RedisArgs:
    """Inputs of Redis."""

    build: Build
    volume: Volume
    password: pulumi.Input[str]


class Redis(DaemonComponent):
    """Redis that refuses writes when full instead of forgetting queued jobs. Reached at topology.REDIS."""

    def __init__(
        self, name: str, site: Site, args: RedisArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.REDIS, name, site, opts)
        credentials = self.secret("credentials", {"REDIS_PASSWORD": args.password})
        data = self.claim("data", args.volume)
        self.serve()
        ping = entry.command("ping.sh")
        container = Container(
            name="redis",
            build=args.build,
            privileges=KOLAB_USER,
            # MEMORY_LIMIT would choose allkeys-lru, which evicts queued jobs and sessions; arguments come last and win.
            command=("/init.sh",),
            args=(
                "--maxmemory",
                str(bytes_of(args.build.size.memory_limit) * 3 // 4),
                "--maxmemory-policy",
                "noeviction",
                "--appendonly",
                "yes",
            ),
            secrets=[credentials],
            mounts=[self.scripts("redis"), from_claim("data", _DATA, data)],
            ports=self.daemon.ports,
            startup=Probe(command=ping).until_up(600),
            readiness=Probe(command=ping),
            liveness=Probe(command=ping, period=20, timeout=10, failures=6),
        )
        self.stateful_set(Pod(containers=[container], fs_group=KOLAB_USER.uid, grace=60))
        self.register_outputs({})
