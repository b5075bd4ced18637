"""The web application (Laravel): accounts, API, login, policies. Four kinds of pods from one image and one environment."""

from __future__ import annotations

import pulumi
from pulumi_kubernetes import apps, batch

from components import content, entry
from components.containers import Container, Probe
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from components.rehearsal import Rehearsal
from components.webapp_environment import WebappArgs, credentials, environment
from model import topology


class Webapp(DaemonComponent):
    """Octane (HTTP), Horizon (jobs), scheduler and the seed Job. Reached at topology.WEBAPP.

    Made in two steps: its images are rehearsed, which is `rehearsed`; `start` makes the rest, beginning with the Job called
    `migration`.
    """

    rehearsed: batch.v1.Job
    migration: str

    def __init__(
        self, name: str, site: Site, args: WebappArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.WEBAPP, name, site, opts)
        keys = self.secret(
            "keys",
            {
                "APP_KEY": args.credentials.app_key,
                "PASSPORT_PRIVATE_KEY": args.passport.private_key,
                "PASSPORT_PUBLIC_KEY": args.passport.public_key,
            },
            guarded=True,
        )
        passwords = self.secret("credentials", credentials(args))
        first_account = self.secret("first-account", {"ADMIN_PASSWORD": args.credentials.admin})
        scripts = self.scripts("webapp")
        self.serve()

        def container(role: str, *, command: tuple[str, ...], **probes: object) -> Container:
            return Container(
                name=role,
                build=args.builds[role],
                command=command,
                env=environment(args, role),
                # Whoever breaks into a page of the application shall not find an administrator's password.
                secrets=[keys, passwords, *([first_account] if role == "seed" else [])],
                mounts=[scripts],
                **probes,  # type: ignore[arg-type]
            )

        alive = Probe(http="/api/health/liveness", period=20, timeout=10, failures=6)
        octane = container(
            "webapp",
            command=entry.COMMAND,
            ports=self.daemon.ports,
            # It waits for the seed Job, so its first start may take long.
            startup=Probe(http="/api/health/liveness").until_up(3600),
            readiness=Probe(http="/api/health/readiness"),
            liveness=alive,
        )
        jobs = container("horizon", command=entry.COMMAND, **_horizon_probes())
        self._replicas = args.replicas
        self._octane, self._jobs = octane, jobs
        self._seed = container("seed", command=entry.command("seed.sh"))
        self._scheduler = container("scheduler", command=entry.command("schedule.sh"))
        self.rehearsed = Rehearsal(self, site, [octane, jobs]).passed
        known_by = entry.files("webapp") | {"image": self._seed.build.image}
        self.migration = content.config_name(topology.SEED.name, known_by)

    def start(self, dumped: pulumi.Resource) -> None:
        """What changes tables, once there is a dump of them, and then what works with them."""
        name, site, replicas = self._logical, self._site, self._replicas
        seeded = Seed(f"{name}-seed", site, self._seed, self.child(), called=self.migration, dumped=dumped)
        # Whoever works with the tables comes after their migration, and pages after what Horizon enters in them.
        horizon = Horizon(f"{name}-horizon", site, self._jobs, seeded.done, self.child())
        self.deployment(
            Pod(containers=[self._octane], placement=replicas.placement, grace=45),
            replicas=replicas.number,
            after=[horizon.pods],
        )
        if replicas.number > 1:
            self.disruption_budget()
        Scheduler(f"{name}-scheduler", site, self._scheduler, self.child())
        self.register_outputs({})


class Horizon(DaemonComponent):
    """Runs jobs and enters service accounts at its start: never two at a time."""

    pods: apps.v1.Deployment

    def __init__(
        self,
        name: str,
        site: Site,
        container: Container,
        seeded: pulumi.Resource,
        opts: pulumi.ResourceOptions,
    ) -> None:
        super().__init__(topology.HORIZON, name, site, opts)
        self.pods = self.deployment(Pod(containers=[container], grace=90), recreate=True, after=[seeded])
        self.register_outputs({})


class Scheduler(DaemonComponent):
    """Laravel's scheduler, which no role of the image runs: imports, retention, expunging."""

    def __init__(self, name: str, site: Site, container: Container, opts: pulumi.ResourceOptions) -> None:
        super().__init__(topology.SCHEDULER, name, site, opts)
        self.cron_job(Pod(containers=[container]), schedule="* * * * *")
        self.register_outputs({})


class Seed(DaemonComponent):
    """Fills an empty database, or migrates one that holds accounts, and imports address ranges."""

    done: batch.v1.Job

    def __init__(
        self,
        name: str,
        site: Site,
        container: Container,
        opts: pulumi.ResourceOptions,
        *,
        called: str,
        dumped: pulumi.Resource,
    ) -> None:
        super().__init__(topology.SEED, name, site, opts)
        self.done = self.job(Pod(containers=[container]), name=called, after=[dumped])
        self.register_outputs({})


def _horizon_probes() -> dict[str, Probe]:
    status = entry.command("horizon-runs.sh")
    return {
        # Each time it boots PHP, which takes about a second.
        "startup": Probe(command=status, timeout=14).until_up(3600, every=5),
        "liveness": Probe(command=status, period=60, timeout=30, failures=5),
    }
