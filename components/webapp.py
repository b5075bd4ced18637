"""The web application (Laravel): accounts, API, login, policies. Four kinds of pods from one image and one environment."""

from __future__ import annotations

import pulumi

from components import content, entry
from components.containers import Container, Probe
from components.daemon import DaemonComponent, Site
from components.pods import Pod
from components.webapp_environment import WebappArgs, credentials, environment
from model import topology


class Webapp(DaemonComponent):
    """Octane (HTTP), Horizon (jobs), scheduler and the seed Job. Reached at topology.WEBAPP."""

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
        self.deployment(
            Pod(containers=[octane], placement=args.replicas.placement, grace=45),
            replicas=args.replicas.number,
        )
        if args.replicas.number > 1:
            self.disruption_budget()
        Horizon(
            f"{name}-horizon",
            site,
            container("horizon", command=entry.COMMAND, **_horizon_probes()),
            pulumi.ResourceOptions(parent=self),
        )
        Scheduler(
            f"{name}-scheduler",
            site,
            container("scheduler", command=entry.command("schedule.sh")),
            pulumi.ResourceOptions(parent=self),
        )
        seed = container("seed", command=entry.command("seed.sh"))
        Seed(
            f"{name}-seed",
            site,
            seed,
            content.config_name("seed", entry.files("webapp") | {"image": args.builds["seed"].image}),
            pulumi.ResourceOptions(parent=self),
        )
        self.register_outputs({})


class Horizon(DaemonComponent):
    """Runs jobs, migrates the schema at start and upserts service accounts: never two at a time."""

    def __init__(self, name: str, site: Site, container: Container, opts: pulumi.ResourceOptions) -> None:
        super().__init__(topology.HORIZON, name, site, opts)
        self.deployment(Pod(containers=[container], grace=90), recreate=True)
        self.register_outputs({})


class Scheduler(DaemonComponent):
    """Laravel's scheduler, which no role of the image runs: imports, retention, expunging."""

    def __init__(self, name: str, site: Site, container: Container, opts: pulumi.ResourceOptions) -> None:
        super().__init__(topology.SCHEDULER, name, site, opts)
        self.cron_job(Pod(containers=[container]), schedule="* * * * *")
        self.register_outputs({})


class Seed(DaemonComponent):
    """Fills an empty database and imports address ranges; does nothing to one that holds accounts."""

    def __init__(
        self, name: str, site: Site, container: Container, job: str, opts: pulumi.ResourceOptions
    ) -> None:
        super().__init__(topology.SEED, name, site, opts)
        self.job(Pod(containers=[container]), name=job)
        self.register_outputs({})


def _horizon_probes() -> dict[str, Probe]:
    status = entry.command("horizon-runs.sh")
    return {
        # Each time it boots PHP, which takes about a second.
        "startup": Probe(command=status, timeout=14).until_up(3600, every=5),
        "liveness": Probe(command=status, period=60, timeout=30, failures=5),
    }
