"""`ops backup`: what backups there are, one more now, and back to one of them."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from typing import Any, Literal, get_args

from model.settings import Settings
from model.topology import MINIO, VERSITYGW
from ops.frame import add_actions, add_context, add_json, go_ahead
from ops.kubectl import Kubectl, of_stack
from ops.mailbox import beside
from ops.snapshots import BEFORE_RESTORE, MAIL_KEEPER, mistimed, moment, snapshots
from ops.stacks import StackFile, StackProblem
from ops.tables import table
from ops.tools import say

Engine = Literal["database", "mail", "files"]
ENGINES: tuple[Engine, ...] = get_args(Engine)
"""In the order in which they are backed up and restored: no account without its mailbox."""
DRILLED: tuple[Engine, ...] = ("database", "mail")
"""What is tried by drills."""
_HOLDS = {
    "database": "accounts, domains, and what people have in the webmail",
    "mail": "mail, calendars, contacts and filters",
    "files": "files",
}
_DAY = 24 * 3600


def add_command(commands: Any) -> None:
    """Registers the command."""
    for name, sub in add_actions(commands, "backup", "show backups, make one now, go back to one", _ACTIONS):
        if name == "list":
            add_json(sub)
        else:
            sub.add_argument("engine", choices=ENGINES, nargs=None if name == "restore" else "?")
        if name == "restore":
            sub.add_argument("--to", metavar="TIME", help="as it was then, such as 2026-11-26T02:30 (UTC)")
            sub.add_argument(
                "--before-restore", action="store_true", help="back to what the last restore has overwritten"
            )
            sub.add_argument(
                "--before-migration",
                action="store_true",
                help="the databases as they were before newer images changed their tables, from the volume of dumps",
            )
            sub.add_argument(
                "--mailbox",
                metavar="ADDRESS",
                help="of the mail this mailbox alone, beside the living one: into folders below Restored/<day>",
            )
            add_context(sub)


def show(options: argparse.Namespace) -> None:
    """Prints the snapshots, oldest first."""
    settings = _settings(options.stack)
    listing = snapshots(Kubectl.of(settings))
    found = listing.found
    if options.json:
        print(
            json.dumps(
                [{"id": s.id, "engine": s.engine, "time": s.time.isoformat(), "bytes": s.size} for s in found]
            )
        )
        return
    rows = [
        (s.time.strftime("%Y-%m-%d %H:%M"), s.engine, s.id[:8], f"{s.size / 2**20:.1f} MiB") for s in found
    ]
    print(table(("time (UTC)", "engine", "id", "size"), rows))
    if listing.unread:
        unread = ", ".join(sorted(each[:8] for each in listing.unread))
        print(f"Spoiled in the repository, so that nothing is known of them: {unread}.")
    if wrong := sorted(each[:8] for each in mistimed(found)):
        print(
            f"A clock was wrong: {', '.join(wrong)} {'bears' if len(wrong) == 1 else 'bear'} a later time than what was made afterwards. No restore takes such a one."
        )
    for engine in engines(settings):
        if not any(s.engine == tag_of(settings, engine) for s in found):
            print(f"There is no backup of {engine} yet.")


def now(options: argparse.Namespace) -> None:
    """One backup of each engine, or of the one that is named."""
    settings = _settings(options.stack)
    cluster = Kubectl.of(settings)
    for engine in _wanted(settings, options.engine):
        _keep(cluster, settings, engine)
        say(f"kept {engine}")


def drill(options: argparse.Namespace) -> None:
    """Brings the newest backups of accounts and mail back beside the living stack, which serves on."""
    settings = _settings(options.stack)
    cluster = Kubectl.of(settings)
    if settings.backup is None or not settings.backup.drills:
        raise StackProblem("kolab:backup.drill is never, so there is nothing to drill with")
    for engine in (options.engine,) if options.engine else DRILLED:
        if engine not in DRILLED:
            raise StackProblem(f"there is no drill of {engine}; name one of {', '.join(DRILLED)}")
        say(f"bringing the newest backup of {engine} back, beside what lives")
        for line in cluster.job(f"drill-{engine}", {}).splitlines():
            if line.startswith("backup: "):
                say(line.partition(": ")[2])


def restore(options: argparse.Namespace) -> int | None:
    """Says what would be overwritten; with --context, stops the daemons, restores, and starts them again.

    One mailbox comes back beside what lives, and stops nothing (ops/mailbox).
    """
    if options.mailbox and (options.engine != "mail" or options.before_migration):
        raise StackProblem("--mailbox goes with mail alone: ./kolab backup restore mail --mailbox ADDRESS")
    if options.before_migration:
        _restore_dump(options)
        return None
    settings = _settings(options.stack)
    cluster = Kubectl.of(settings)
    if options.mailbox:
        return beside.bring_back(options, settings, cluster)
    (engine,) = _wanted(settings, options.engine)
    tag = tag_of(settings, engine)
    tag = f"{BEFORE_RESTORE}{tag}" if options.before_restore else tag
    chosen = snapshots(cluster).choose(tag, moment(options.to) if options.to else None)
    consequence = (
        f"{_HOLDS[engine].capitalize()} of namespace {cluster.namespace} in context {cluster.context} become what they were at"
        f" {chosen.time:%Y-%m-%d %H:%M} UTC (snapshot {chosen.id[:8]}). What came later is kept as a snapshot and is no"
        f" longer seen. {_meanwhile(settings, engine)}"
    )
    if go_ahead(options.context, cluster.context, consequence):
        if engine == "database":
            _keep(cluster, settings, engine, BEFORE_RESTORE)
        _restore(cluster, settings, engine, f"restore-{engine}", {"KOLAB_SNAPSHOT": chosen.id})
    return None


def _restore_dump(options: argparse.Namespace) -> None:
    """The same from the volume of dumps, which a stack has without backups too."""
    if options.engine != "database":
        raise StackProblem("images change the tables of the database alone: name database")
    if options.before_restore and options.to:
        raise StackProblem("--before-restore names one dump: leave --to out")
    settings, cluster = of_stack(options.stack)
    wanted = moment(options.to).strftime("%Y-%m-%dT%H:%M:%SZ") if options.to else ""
    told = {"KOLAB_TO": "before-restore" if options.before_restore else wanted}
    found = _said(cluster.job("restore-dump", {**told, "KOLAB_TASK": "choose"}))
    consequence = (
        f"{_HOLDS['database'].capitalize()} of namespace {cluster.namespace} in context {cluster.context} become what they"
        f" were: {'; '.join(found)}. What is there now goes onto the same volume and is no longer seen."
        f" {_meanwhile(settings, 'database')}"
    )
    if go_ahead(options.context, cluster.context, consequence):
        _restore(cluster, settings, "database", "restore-dump", told)


def _meanwhile(settings: Settings, engine: Engine) -> str:
    names = ", ".join(name.partition("/")[2] for name in _stopped(settings, engine))
    return f"Meanwhile {names} are stopped; senders of mail try again."


def _said(written: str) -> list[str]:
    """What a Job has to say to people."""
    return [
        line.partition(": ")[2] for line in written.splitlines() if line.startswith(("backup: ", "restore: "))
    ]


def _restore(cluster: Kubectl, settings: Settings, engine: Engine, job: str, told: dict[str, str]) -> None:
    stopped = _stopped(settings, engine)
    for workload in stopped:
        say(f"stopping {workload.partition('/')[2]}")
        cluster.scale(workload, 0)
    if engine == "database":
        _suspend(cluster, suspended=True)
    say(f"restoring {engine}")
    try:
        written = cluster.job(job, told)
    except StackProblem:
        # Half a database must serve nobody, and stays alone. Cyrus itself refuses half of the mail, and its pod is where
        # the repository is read from when the same command is given again.
        if engine == "mail":
            cluster.scale("statefulset/imap", 1)
        raise
    for line in _said(written):
        say(line)
    if engine == "database":
        _suspend(cluster, suspended=False)
    for workload, replicas in stopped.items():
        cluster.scale(workload, replicas)
    say(f"{engine} is back; its daemons are starting")
    # The next restore reads the repository from Cyrus' pod.
    for workload in (each for each, replicas in stopped.items() if replicas):
        cluster.wait_ready(workload)


def engines(settings: Settings) -> Sequence[Engine]:
    """What of this stack is backed up."""
    return [engine for engine in ENGINES if engine != "files" or settings.own_files]


def tag_of(settings: Settings, engine: Engine) -> str:
    """The tag of an engine's snapshots."""
    return settings.files.snapshots if engine == "files" else engine


def files_keeper(settings: Settings) -> tuple[str, str]:
    """The pod and the container that back files up."""
    return f"{_files_server(settings)}-0", f"backup-{tag_of(settings, 'files')}"


def _files_server(settings: Settings) -> str:
    return (VERSITYGW if settings.files.served_by_gateway else MINIO).name


def _wanted(settings: Settings, engine: Engine | None) -> Sequence[Engine]:
    if engine is None:
        return engines(settings)
    if engine not in engines(settings):
        raise StackProblem(
            "files are in a service of somebody else's, or switched off: there is no backup of them"
        )
    return [engine]


def _settings(stack: str) -> Settings:
    settings, _ = StackFile.read(stack).settings()
    if settings.backup is None:
        raise StackProblem("kolab:backup names no repository, so there is no backup")
    return settings


def _keep(cluster: Kubectl, settings: Settings, engine: Engine, prefix: str = "") -> None:
    tag = tag_of(settings, engine)
    if engine == "database":
        cluster.job("backup-database", {"KOLAB_BACKUP_TAG": f"{prefix}{tag}"})
        return
    pod, container = MAIL_KEEPER if engine == "mail" else files_keeper(settings)
    cluster.execute(pod, container, "/bin/sh", f"/kolab/entry/{tag}.sh", f"{prefix}{tag}", seconds=_DAY)


def _stopped(settings: Settings, engine: Engine) -> dict[str, int]:
    """What must not run while an engine is restored, and how many pods each has."""
    if engine != "database":
        return {f"statefulset/{'imap' if engine == 'mail' else _files_server(settings)}": 1}
    # An empty table of users would be "user unknown" to Postfix, and mail would bounce.
    return {
        "statefulset/postfix": settings.pods("postfix"),
        "deployment/webapp": settings.pods("webapp"),
        "deployment/horizon": 1,
        "deployment/roundcube": settings.pods("roundcube"),
    }


def _suspend(cluster: Kubectl, *, suspended: bool) -> None:
    patch = json.dumps({"spec": {"suspend": suspended}})
    cluster.run("patch", "cronjob", "scheduler", "--type=merge", "-p", patch)


_ACTIONS = {
    "list": (show, "what backups there are"),
    "now": (now, "make a backup of everything, or of one engine, now"),
    "drill": (drill, "try the newest backups beside the living stack"),
    "restore": (restore, "make an engine what it was, after a preview"),
}
