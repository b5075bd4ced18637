"""`./kolab block`: a compromised account is stopped in one step, and that can be taken back."""

from __future__ import annotations

import argparse
from collections.abc import Sequence
from typing import Any

from model.settings import Settings
from ops import artisan
from ops.artisan import call
from ops.frame import add_dry_run, add_stack
from ops.kubectl import Kubectl, of_stack
from ops.people import application
from ops.people.in_container import script
from ops.queue import change
from ops.queue.messages import Message, Wanted, look
from ops.stacks import StackProblem

_TOKENS = script("logins.sh")
"""Logins of the web interface and of programs: a suspension alone lets them run out by themselves (upstream: an hour)."""
_SESSIONS = script("sessions.sh")
"""Open sessions, of which Cyrus notes each in a file: service, client, user, mailbox (cyrus: imap/proc.c)."""


def add_command(commands: Any) -> None:
    """Registers both directions."""
    for name, action, about in (
        ("block", block, "stop a compromised account: suspended, sessions ended, its mail held"),
        ("unblock", unblock, "take a block back, and deliver what was held"),
    ):
        parser = commands.add_parser(name, help=about)
        parser.add_argument("email", help="address of the account")
        add_stack(parser)
        add_dry_run(parser)
        parser.set_defaults(run=action)


def _seen(options: argparse.Namespace) -> tuple[Settings, Kubectl, str, list[Message]]:
    """The account and what waits of it. Raises StackProblem, also when a replica does not tell: half a block is none."""
    settings, cluster = of_stack(options.stack)
    email = application.user(cluster, options.email, settings).email
    addresses = [email, *application.details(cluster, [email])[email].aliases]
    return settings, cluster, email, _waiting(settings, cluster, addresses)


def _waiting(settings: Settings, cluster: Kubectl, addresses: Sequence[str]) -> list[Message]:
    found, silent = look(cluster, settings)
    for pod, problem in silent.items():
        raise StackProblem(f"the queue of {pod} does not answer, so its mail would get away: {problem}")
    return [each for each in found if any(Wanted(sender=address).holds(each) for address in addresses)]


def block(options: argparse.Namespace) -> None:
    """Suspends first: nothing new comes in while the rest is done."""
    settings, cluster, email, waiting = _seen(options)
    if email == f"admin@{settings.domain}":
        raise StackProblem(
            f"{email} owns every domain and account of this stack, and a block would stop them all; give it another password"
            " (./kolab user passwd); nothing was changed"
        )
    going = [each for each in waiting if each.queue != "hold"]
    if options.dry_run:
        print(f"{email} would be suspended, its sessions ended, and {len(going)} of its messages held")
        return
    artisan.must(cluster, [call("user:suspend", user=email)])
    tokens = cluster.execute("deploy/webapp", "webapp", "/bin/bash", "-c", _TOKENS, text=f"{email}\n")
    sessions = cluster.execute("imap-0", "imap", "/bin/bash", "-c", _SESSIONS, text=f"{email}\n")
    # What came in between the first look and the suspension is held too.
    own = [email, *application.details(cluster, [email])[email].aliases]
    going = [each for each in _waiting(settings, cluster, own) if each.queue != "hold"]
    change(cluster, going, "-h")
    print(
        f"{email}: suspended; {_number(tokens)} logins and {_number(sessions)} mail sessions ended; {len(going)} messages held."
        f"\nLook at them: ./kolab queue list --sender {email}; throw them away: ./kolab queue delete --sender {email}."
        f"\nThen another password, ./kolab user passwd {email}, and back: ./kolab unblock {email}"
    )


def unblock(options: argparse.Namespace) -> None:
    """Delivers what is held of the account: what should not go is deleted before."""
    _, cluster, email, waiting = _seen(options)
    held = [each for each in waiting if each.queue == "hold"]
    if options.dry_run:
        print(f"{email} would be in use again, and {len(held)} messages would be delivered")
        return
    artisan.must(cluster, [call("user:unsuspend", user=email)])
    change(cluster, held, "-H", each=("postqueue", "-i"))
    print(f"{email}: in use again; {len(held)} messages released")


def _number(text: str) -> int:
    last = text.split()[-1:] or ["0"]
    return int(last[0]) if last[0].isdigit() else 0
