"""`./kolab backup restore mail --mailbox ADDRESS`: one mailbox comes back beside the living one, never over it."""

from __future__ import annotations

import argparse
from collections.abc import Sequence

from model.settings import Settings
from ops.frame import PROBLEM, go_ahead
from ops.kubectl import Kubectl
from ops.mailbox import plan
from ops.mailbox.carry import Carrier, Outcome, say
from ops.mailbox.plan import Box, Target
from ops.mailbox.source import Source
from ops.people import application
from ops.snapshots import BEFORE_RESTORE, moment, snapshots
from ops.stacks import StackProblem

_SHOWN = 20
"""Messages that are told one by one."""


def bring_back(options: argparse.Namespace, settings: Settings, cluster: Kubectl) -> int:
    """Says what would come back; with --context, brings it. The exit code. Raises StackProblem."""
    if options.before_restore and options.to:
        raise StackProblem("--before-restore names one backup: leave --to out")
    address = application.address(options.mailbox, settings)
    to = moment(options.to) if options.to else None
    tag = f"{BEFORE_RESTORE}mail" if options.before_restore else "mail"
    chosen = snapshots(cluster).choose(tag, to)
    if address not in application.users(cluster):
        raise StackProblem(
            f"there is no account {address}, so its mail has nowhere to come back to; make it first: ./kolab user add"
            f" {address}"
        )
    source = Source(cluster, chosen, say)
    mailbox = source.mailbox(address)
    found = source.boxes(mailbox)
    plan.refuse_too_large(found)
    where = f"namespace {cluster.namespace} in context {cluster.context}"
    if not go_ahead(options.context, cluster.context, plan.preview(address, chosen, mailbox, found, where)):
        return 0
    carrier = Carrier(source, address, found)
    return _tell(address, carrier.carry(), found, carrier.outcome)


def _tell(address: str, target: Target, found: Sequence[Box], outcome: Outcome) -> int:
    print(
        f"{address}: {len(found)} folders are back below {target.name}, with {outcome.brought + outcome.there} messages"
        f" ({outcome.there} of them were there already), each the same as in the backup by its checksum. The way back:"
        f" delete the folder {target.name}"
    )
    for each in outcome.refused[:_SHOWN]:
        say(f"not brought back: {each}")
    if len(outcome.refused) > _SHOWN:
        say(f"not brought back: {len(outcome.refused) - _SHOWN} more")
    return PROBLEM if outcome.refused else 0
