"""Amavis: a container of Postfix's pod that filters what comes in and signs what goes out.

Never a pod of its own: the image accepts clients from 127.0.0.1 and 172.16/12 only, and Postfix would have to
trust pod addresses, which makes an open relay of it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pulumi

from components import entry
from components.containers import (
    Build,
    Container,
    Mount,
    Privileges,
    Probe,
    from_secret,
    from_template,
    scratch,
)
from components.daemon import DaemonComponent
from components.inputs import Database, Queue
from model import budget, topology


@dataclass(frozen=True, kw_only=True)
class Verdicts:
    """What becomes of spam, and of what is kept from people: viruses, and spam from the score `kept_from` where there is one.

    Spam is marked from the score `spam_from`, with `spam_subject` before its subject. Kept mail is deleted after `days`, the
    oldest also beyond `room`, in bytes.
    """

    spam_from: float
    spam_subject: str
    kept_from: float | None
    days: int
    room: int


@dataclass(frozen=True, kw_only=True)
class AmavisArgs:
    """Inputs of the Amavis container. `keys` maps DKIM selectors to PEM; nothing is signed until one is active.

    `learnt` is the Redis in which images of generation B keep what SpamAssassin has learnt.
    """

    build: Build
    domain: str
    database: Database
    learnt: Queue
    antivirus: bool
    verdicts: Verdicts
    selector: str
    signing: bool
    keys: Mapping[str, pulumi.Input[str]]
    extra: Sequence[str]
    """Lines of an operator's own for SpamAssassin."""


_LEARNT_DATABASE = "4"
"""The number of the database in Redis, as the image has it: nobody else uses that one."""


def amavis_container(parent: DaemonComponent, args: AmavisArgs, credentials: pulumi.Input[str]) -> Container:
    """Amavis for the pod of `parent`, which owns its ConfigMap and key Secrets."""
    verdicts = args.verdicts
    learnt = parent.secret("amavis-learnt", {"REDIS_PASSWORD": args.learnt.password})
    signing = {"KOLAB_SIGNING": "true" if args.signing else "false"}
    more = {"extra.cf": "".join(f"{line}\n" for line in args.extra)} if args.extra else None
    mounts: list[Mount] = [
        parent.scripts("amavis", settings=signing, more=more, role="amavis-entry"),
        scratch("amavis-work", "/var/spool/amavisd", "2Gi"),
        from_template("filters", "/var/lib/spamassassin", "spamassassin"),
        from_template("filters", "/var/lib/clamav", "clamav"),
        from_template("filters", "/var/lib/quarantine", "quarantine"),
    ]
    for name, key in args.keys.items():
        # One Secret a selector, so that a rotation adds and removes whole keys and never rewrites one in use.
        secret = parent.secret(f"dkim-{name}", {"key.pem": key}, guarded=True)
        if name == args.selector:
            # Amavis has dropped root and its group when it reads the key, hence the mode.
            mounts.append(
                from_secret("dkim", f"/var/dkim/{args.domain}.{name}.pem", secret, mode=0o444, file="key.pem")
            )
    ready = entry.command("ready.sh", *(str(port.number) for port in topology.AMAVIS.ports))
    return Container(
        name=topology.AMAVIS.name,
        build=args.build,
        privileges=Privileges(
            uid=0,
            capabilities=("CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"),
            reason="init gives the work folder to user amavis, also after a restart, and drops to it",
        ),
        command=entry.COMMAND,
        env={
            "APP_DOMAIN": args.domain,
            "POSTFIX_HOST": "127.0.0.1",
            "DKIM_IDENTIFIER": args.selector,
            # Executed as a command by the image: nothing but true or false.
            "CLAMD": "true" if args.antivirus else "false",
            "KOLAB_PROCESSES": str(budget.AMAVIS),
            "KOLAB_SPAM_FROM": str(verdicts.spam_from),
            "KOLAB_SPAM_SUBJECT": verdicts.spam_subject,
            "KOLAB_QUARANTINE_AT": "" if verdicts.kept_from is None else str(verdicts.kept_from),
            "KOLAB_QUARANTINE_DAYS": str(verdicts.days),
            "KOLAB_QUARANTINE_BYTES": str(verdicts.room),
            "REDIS_HOST": args.learnt.host,
            "REDIS_DATABASE": _LEARNT_DATABASE,
            **args.database.environment("DB"),
        },
        secrets=[credentials, learnt],
        mounts=mounts,
        # The first start fetches rules (and virus signatures) before it listens.
        startup=Probe(command=ready, timeout=10).until_up(1200),
        readiness=Probe(command=ready, timeout=10),
        liveness=Probe(command=ready, period=30, timeout=20, failures=6),
    )
