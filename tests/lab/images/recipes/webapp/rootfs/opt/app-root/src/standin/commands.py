"""artisan: the commands that the image's scripts, our scripts and operators use."""

from __future__ import annotations

import ipaddress
import os
import secrets
import signal
import sys
import time

import pymysql

from standin import about_people, accounts, database, horizon, jobs_queue, people, server, signatures
from standin.signatures import Command, Options

NETWORKS = (
    # Documentation and private ranges: the registries cannot be asked from a closed network.
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "10.0.0.0/8",
    "192.168.0.0/16",
)


def migrate(options: Options, _: list[str]) -> int:
    """Tables, and with --seed the first accounts. In production only with --force."""
    if "force" not in options and os.environ.get("APP_ENV", "production") == "production":
        print("APPLICATION IN PRODUCTION. Command cancelled.")
        return 1
    database.migrate()
    if "seed" in options:
        accounts.create_domain(os.environ["APP_DOMAIN"])
        admin = f"admin@{os.environ['APP_DOMAIN']}"
        if not database.rows("SELECT 1 FROM users WHERE email = %s", (admin,)):
            accounts.create_user(admin, os.environ.get("APP_PASSPHRASE") or secrets.token_urlsafe(), "admin")
        people.seed()
    return 0


def migrate_fresh(options: Options, words: list[str]) -> int:
    """Drops every table first."""
    database.drop_all()
    return migrate(options, words)


def data_init(_: Options, __: list[str]) -> int:
    """Service accounts with the passwords of the environment; OAuth clients only when they are missing."""
    for user, password in (("IMAP_ADMIN_LOGIN", "IMAP_ADMIN_PASSWORD"), ("MAIL_USERNAME", "MAIL_PASSWORD")):
        accounts.upsert_service(os.environ[user], os.environ[password])
    redirect = (
        f"{os.environ.get('APP_PUBLIC_URL', '')}{os.environ.get('WEBMAIL_URL', '')}index.php/login/oauth"
    )
    for name, prefix, url in (
        ("Kolab Password Grant Client", "PASSPORT_PROXY_OAUTH", ""),
        ("Webmail SSO client", "PASSPORT_WEBMAIL_SSO", redirect),
    ):
        database.rows(
            "INSERT IGNORE INTO oauth_clients (id, name, secret, redirect, password_client, created_at, updated_at)"
            " VALUES (%s, %s, %s, %s, %s, NOW(), NOW())",
            (os.environ[f"{prefix}_CLIENT_ID"], name, os.environ[f"{prefix}_CLIENT_SECRET"], url, not url),
        )
    return 0


def data_import(_: Options, __: list[str]) -> int:
    """Fill ip4nets; upstream downloads the registries' lists, this brings a few networks along."""
    database.rows("DELETE FROM ip4nets")
    for text in NETWORKS:
        network = ipaddress.ip_network(text)
        database.rows(
            "INSERT INTO ip4nets (rir_name, net_number, net_mask, net_broadcast, country, serial, created_at, updated_at)"
            " VALUES ('lab', %s, %s, %s, 'ZZ', 1, NOW(), NOW())",
            (network.network_address.packed, network.prefixlen, network.broadcast_address.packed),
        )
    return 0


def db_ping(options: Options, _: list[str]) -> int:
    """With --wait: return once the database answers."""
    if "wait" in options:
        database.wait()
    else:
        database.rows("SELECT 1")
    return 0


def octane_start(options: Options, _: list[str]) -> int:
    """The HTTP server."""
    # Python as PID 1 would ignore SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for name in ("workers", "task-workers"):
        if name in options and not options[name].isdigit():
            print(f"octane:start: --{name} wants a number")
            return 1
    server.serve(options.get("host") or "127.0.0.1")
    return 0


def horizon_status(_: Options, __: list[str]) -> int:
    """Whether a master runs."""
    running = jobs_queue.running()
    print("Horizon is running." if running else "Horizon is inactive.")
    return 0 if running else 2


def schedule_run(_: Options, __: list[str]) -> int:
    """What is due: at five in the morning the import, else nothing."""
    if time.gmtime()[3:5] == (5, 0):
        return data_import({}, [])
    print("No scheduled commands are ready to run.")
    return 0


def nothing(_: Options, __: list[str]) -> int:
    """Commands that have no effect here, and status:health --check Redis, which never fails upstream either."""
    return 0


COMMANDS: dict[str, Command] = {
    "data:countries": nothing,
    "data:import": data_import,
    "data:init": data_init,
    "db:ping": db_ping,
    "horizon": lambda *_: horizon.work(),
    "horizon:status": horizon_status,
    "migrate": migrate,
    "migrate:fresh": migrate_fresh,
    "octane:start": octane_start,
    "octane:status": nothing,
    "queue:work": nothing,
    "schedule:run": schedule_run,
    "status:health": nothing,
    **about_people.COMMANDS,
}


def main(arguments: list[str]) -> int:
    """Run one command; failures are one line on stderr and exit code 1, as Laravel's are.

    `--called` is what PHP's kernel of the stand-in says: name and arguments come on standard input.
    """
    try:
        name, options, words = (
            signatures.called() if arguments == ["--called"] else signatures.typed(arguments)
        )
        if name not in COMMANDS:
            raise people.Refused(f'Command "{name}" is not defined in the lab\'s stand-in.')
        return COMMANDS[name](options, words)
    except people.Refused as refused:
        print(refused, file=sys.stderr)
        return 1
    except accounts.Unknown:
        print("User not found.", file=sys.stderr)
        return 1
    except (OSError, pymysql.err.Error, KeyError, IndexError) as error:
        print(f"artisan {' '.join(arguments[:1])}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
