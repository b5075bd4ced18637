"""Roundcube with Syncroton (ActiveSync) and Chwala (files): three web applications in one image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pulumi
from pulumi_kubernetes import batch

from components import content, entry
from components.containers import Build, Container, Probe, scratch
from components.daemon import DaemonComponent, Site
from components.inputs import Database, OAuthClient, Queue, Sizes
from components.pods import Pod, Replicas
from components.rehearsal import Rehearsal
from model import budget, topology

_PHP_MEMORY = 128 * 1024**2
"""What a page takes without attachments (upstream: docker/roundcube, php.ini)."""


@dataclass(frozen=True, kw_only=True)
class Behaviour:
    """What the webmail does for people. `options` are of an operator's own, for Roundcube's config.inc.php."""

    office: bool
    sizes: Sizes
    options: Mapping[str, bool | int | str | Sequence[str]] = field(default_factory=dict)


@dataclass(frozen=True, kw_only=True)
class RoundcubeArgs:
    """Inputs of Roundcube. Without `database_root_password`, its database and user are there already."""

    build: Build
    migrate: Build
    domain: str
    website: str
    database: Database
    database_root_password: pulumi.Input[str] | None
    redis: Queue
    behaviour: Behaviour
    replicas: Replicas
    des_key: pulumi.Input[str]
    webmail: OAuthClient


class Roundcube(DaemonComponent):
    """Webmail, ActiveSync and the files API. Reached at topology.ROUNDCUBE.

    Made in two steps: its image is rehearsed, which is `rehearsed`; `start` makes the rest, beginning with the Job called
    `migration`.
    """

    rehearsed: batch.v1.Job
    migration: str

    def __init__(
        self, name: str, site: Site, args: RoundcubeArgs, opts: pulumi.ResourceOptions | None = None
    ) -> None:
        super().__init__(topology.ROUNDCUBE, name, site, opts)
        credentials = self.secret(
            "credentials",
            {
                "DES_KEY": args.des_key,
                "DB_RC_PASSWORD": args.database.password,
                "REDIS_PASSWORD": args.redis.password,
                "PASSPORT_WEBMAIL_SSO_CLIENT_ID": args.webmail.id,
                "PASSPORT_WEBMAIL_SSO_CLIENT_SECRET": args.webmail.secret,
            },
        )
        self.serve()
        # A PHP page sees a dead php-fpm, which nothing supervises: a static file would not.
        php = Probe(http="/chwala/api/", period=20, timeout=10, failures=6)
        container = Container(
            name="roundcube",
            build=args.build,
            command=entry.COMMAND,
            env=_environment(args) | _sizes(args.behaviour) | {"RUN_MIGRATIONS": "false"},
            secrets=[credentials],
            mounts=[
                self.scripts("roundcube", more={"sizes.ini": _php(args.behaviour.sizes)}),
                scratch("data", "/data"),
            ],
            ports=self.daemon.ports,
            startup=Probe(http="/roundcubemail/program/js/app.js").until_up(600),
            readiness=Probe(http="/chwala/api/", timeout=10),
            liveness=php,
            # Lets running requests end; ActiveSync clients that hang on a Ping reconnect.
            pre_stop=("sleep", "5"),
        )
        self._args, self._container = args, container
        self.rehearsed = Rehearsal(self, site, [container], fs_group=1001).passed
        told = _migrating(args) | entry.files("roundcube") | {"image": args.migrate.image}
        self.migration = content.config_name(topology.ROUNDCUBE_MIGRATE.name, told)

    def start(self, dumped: pulumi.Resource) -> None:
        """What changes tables, once there is a dump of them, and then what works with them."""
        name, args = self._logical, self._args
        migrated = RoundcubeMigrate(
            f"{name}-migrate", self._site, args, self.child(), called=self.migration, dumped=dumped
        )
        self.deployment(
            Pod(containers=[self._container], placement=args.replicas.placement, fs_group=1001, grace=45),
            replicas=args.replicas.number,
            after=[migrated.done],
        )
        if args.replicas.number > 1:
            self.disruption_budget()
        self.register_outputs({})


class RoundcubeMigrate(DaemonComponent):
    """Creates and updates the tables once for each image: replicas that all migrate at start race each other."""

    done: batch.v1.Job

    def __init__(
        self,
        name: str,
        site: Site,
        args: RoundcubeArgs,
        opts: pulumi.ResourceOptions,
        *,
        called: str,
        dumped: pulumi.Resource,
    ) -> None:
        super().__init__(topology.ROUNDCUBE_MIGRATE, name, site, opts)
        passwords: dict[str, pulumi.Input[str]] = {
            "DB_RC_PASSWORD": args.database.password,
            "REDIS_PASSWORD": args.redis.password,
            "DES_KEY": args.des_key,
        }
        if args.database_root_password is not None:
            passwords["DB_ROOT_PASSWORD"] = args.database_root_password
        credentials = self.secret("credentials", passwords)
        database = {"KOLAB_DATABASE_PORT": str(args.database.port)}
        container = Container(
            name="migrate",
            build=args.migrate,
            command=entry.command("migrate.sh"),
            env=_migrating(args),
            secrets=[credentials],
            mounts=[self.scripts("roundcube", settings=database), scratch("data", "/data")],
        )
        self.done = self.job(Pod(containers=[container], fs_group=1001), name=called, after=[dumped])
        self.register_outputs({})


def _migrating(args: RoundcubeArgs) -> dict[str, str]:
    return _environment(args) | {"RUN_MIGRATIONS": "true"}


def literal(value: bool | int | str | Sequence[str]) -> str:
    """A value as PHP writes it. In single quotes nothing but the quote and the backslash means anything (PHP: Strings)."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return "'" + value.replace("\\", "\\\\").replace("'", "\\'") + "'"
    return f"[{', '.join(map(literal, value))}]"


def _sizes(behaviour: Behaviour) -> dict[str, str]:
    options = {**behaviour.options, "max_message_size": behaviour.sizes.message}
    return {
        # After the folder of the image, so that the last word is ours (PHP: Scan directories).
        "PHP_INI_SCAN_DIR": f":{entry.PATH}",
        # Appended to Roundcube's own configuration (upstream: docker/roundcube, init.sh).
        "EXTRA_CONFIG": " ".join(f"$config['{name}'] = {literal(value)};" for name, value in options.items()),
    }


def _php(sizes: Sizes) -> str:
    """The image takes 32M. Attachments that several replicas share are held in memory some times over, in base64."""
    memory = _PHP_MEMORY + 4 * sizes.message
    return (
        f"upload_max_filesize = {sizes.request}\npost_max_size = {sizes.request}\nmemory_limit = {memory}\n"
    )


def _environment(args: RoundcubeArgs) -> dict[str, str]:
    imap, webapp, own = topology.IMAP, topology.WEBAPP, topology.ROUNDCUBE
    url, dav = f"https://{args.website}", imap.url("http", "/dav")
    env = {
        "APP_DOMAIN": args.domain,
        **args.database.environment("DB_RC"),
        "REDIS_HOST": args.redis.host,
        "IMAP_HOST": imap.name,
        "IMAP_PORT": str(imap.port("imap").number),
        "SUBMISSION_HOST": topology.POSTFIX.name,
        "SUBMISSION_PORT": str(topology.POSTFIX.port("submission").number),
        "SUBMISSION_ENCRYPTION": "starttls",
        "KOLAB_API_URL": webapp.url("http"),
        "FILEAPI_KOLABFILES_BASEURI": webapp.url("http", "/api"),
        "KOLAB_FILES_SERVER_URL": own.url("http", "/chwala"),
        "KOLAB_FILES_URL": f"{url}/chwala/",
        "FILE_API_URL": f"{url}/chwala/api/",
        "CALENDAR_CALDAV_SERVER": dav,
        "TASKLIST_CALDAV_SERVER": dav,
        "KOLAB_ADDRESSBOOK_CARDDAV_SERVER": dav,
        # Asked by the server itself, not by the browser: the public name would lead out of the cluster and back.
        "KOLAB_FREEBUSY_SERVER": imap.url("http", "/freebusy/user/%u"),
        "OAUTH_AUTH_URI": f"{url}/oauth/authorize",
        "OAUTH_TOKEN_URI": webapp.url("http", "/oauth/token"),
        # Must equal what the web application registers: WEBMAIL_URL plus index.php/login/oauth.
        "OAUTH_REDIRECT_URI": f"{url}/webmail/index.php/login/oauth",
        # The image sets LOGDRIVER, which nothing reads; without LOG_DRIVER logs stay in files of the pod.
        "LOG_DRIVER": "stdout",
        "PER_USER_LOGGING": "false",
        # Newer images start 100 PHP processes of 320 MB each; this many fit the pod and the database (model/budget.py).
        "MAX_CONCURRENT_REQUESTS": str(budget.PHP),
    }
    if args.behaviour.office:
        # Collabora calls back here; the browser reaches it through the proxy, on the same origin (CSP 'self').
        env |= {
            "FILE_API_SERVER_URL": own.url("http", "/chwala/api/"),
            "FILEAPI_WOPI_OFFICE": topology.COLLABORA.url("http"),
        }
    return env
