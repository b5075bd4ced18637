"""artisan: the commands that the image's scripts, our scripts and operators use."""

from __future__ import annotations

import ipaddress
import os
import secrets
import signal
import sys
import time
from collections.abc import Callable

import pymysql

from standin import accounts, database, horizon, jobs_queue, server

NETWORKS = (
    # Documentation and private ranges: the registries cannot be asked from a closed network.
    "192.0.2.0/24",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "10.0.0.0/8",
    "192.168.0.0/16",
)


def migrate(options: dict[str, str], _: list[str]) -> int:
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
    return 0


def migrate_fresh(options: dict[str, str], words: list[str]) -> int:
    """Drops every table first."""
    database.drop_all()
    return migrate(options, words)


def data_init(_: dict[str, str], __: list[str]) -> int:
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


def data_import(_: dict[str, str], __: list[str]) -> int:
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


def user_create(options: dict[str, str], words: list[str]) -> int:
    """user:create EMAIL --password=: the account at once, its mailbox by a job."""
    accounts.create_user(words[0], options.get("password") or secrets.token_urlsafe(), options.get("role"))
    jobs_queue.push("create-mailbox", email=words[0].lower())
    print(words[0])
    return 0


def user_password(_: dict[str, str], words: list[str]) -> int:
    """user:password EMAIL PASSWORD"""
    accounts.set_password(words[0], words[1])
    return 0


def user_add_alias(_: dict[str, str], words: list[str]) -> int:
    """user:add-alias EMAIL ALIAS"""
    accounts.add_alias(words[0], words[1])
    return 0


def user_suspend(_: dict[str, str], words: list[str]) -> int:
    """user:suspend EMAIL"""
    accounts.set_status(words[0], add=accounts.SUSPENDED)
    return 0


def user_unsuspend(_: dict[str, str], words: list[str]) -> int:
    """user:unsuspend EMAIL"""
    accounts.set_status(words[0], remove=accounts.SUSPENDED)
    return 0


def users(_: dict[str, str], __: list[str]) -> int:
    """All addresses."""
    for (email,) in database.rows("SELECT email FROM users ORDER BY email"):
        print(email)
    return 0


def domain_create(_: dict[str, str], words: list[str]) -> int:
    """domain:create NAME"""
    accounts.create_domain(words[0])
    return 0


def db_ping(options: dict[str, str], _: list[str]) -> int:
    """With --wait: return once the database answers."""
    if "wait" in options:
        database.wait()
    else:
        database.rows("SELECT 1")
    return 0


def octane_start(options: dict[str, str], _: list[str]) -> int:
    """The HTTP server."""
    # Python as PID 1 would ignore SIGTERM.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    for name in ("workers", "task-workers"):
        if name in options and not options[name].isdigit():
            print(f"octane:start: --{name} wants a number")
            return 1
    server.serve(options.get("host") or "127.0.0.1")
    return 0


def horizon_status(_: dict[str, str], __: list[str]) -> int:
    """Whether a master runs."""
    running = jobs_queue.running()
    print("Horizon is running." if running else "Horizon is inactive.")
    return 0 if running else 2


def schedule_run(_: dict[str, str], __: list[str]) -> int:
    """What is due: at five in the morning the import, else nothing."""
    if time.gmtime()[3:5] == (5, 0):
        return data_import({}, [])
    print("No scheduled commands are ready to run.")
    return 0


def nothing(_: dict[str, str], __: list[str]) -> int:
    """Commands that have no effect here, and status:health --check Redis, which never fails upstream either."""
    return 0


COMMANDS: dict[str, Callable[[dict[str, str], list[str]], int]] = {
    "data:countries": nothing,
    "data:import": data_import,
    "data:init": data_init,
    "db:ping": db_ping,
    "domain:create": domain_create,
    "horizon": lambda *_: horizon.work(),
    "horizon:status": horizon_status,
    "migrate": migrate,
    "migrate:fresh": migrate_fresh,
    "octane:start": octane_start,
    "octane:status": nothing,
    "queue:work": nothing,
    "schedule:run": schedule_run,
    "status:health": nothing,
    "user:add-alias": user_add_alias,
    "user:create": user_create,
    "user:password": user_password,
    "user:suspend": user_suspend,
    "user:unsuspend": user_unsuspend,
    "users": users,
}


def main(arguments: list[str]) -> int:
    """Run one command; failures are one line on stderr and exit code 1, as Laravel's are."""
    name, *rest = arguments or [""]
    if name not in COMMANDS:
        print(f'Command "{name}" is not defined in the lab\'s stand-in.', file=sys.stderr)
        return 1
    options = {}
    words = []
    for argument in rest:
        if argument.startswith("--"):
            key, _, value = argument[2:].partition("=")
            options[key] = value
        elif not argument.startswith("-"):
            words.append(argument)
    try:
        return COMMANDS[name](options, words)
    except (OSError, pymysql.err.Error, accounts.Unknown, KeyError, IndexError) as error:
        print(f"artisan {name}: {type(error).__name__}: {error}", file=sys.stderr)
        return 1
