"""`./kolab maintenance`: the world is asked to come back later, nothing leaves the queue, and nothing is lost or bounced."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator
from typing import Any

from components.entry import PATH
from components.proxy_edge import MAINTENANCE
from model.settings import Settings
from ops.frame import add_actions, add_context, add_json, go_ahead
from ops.kubectl import Kubectl, of_stack
from ops.queue.messages import replicas
from ops.stacks import StackProblem

_PROXIES = ("get", "pods", "-l", "app.kubernetes.io/name=proxy", "-o", "jsonpath={.items[*].metadata.name}")


def add_command(commands: Any) -> None:
    """Registers the command."""
    for name, sub in add_actions(
        commands,
        "maintenance",
        "ask senders and people to come back later; nothing is lost or bounced",
        _ACTIONS,
    ):
        if name == "on":
            add_context(sub)
        elif name == "show":
            add_json(sub)


def begin(options: argparse.Namespace) -> int:
    """Says what stops; stops it once the cluster is named."""
    settings, cluster = of_stack(options.stack)
    what = (
        f"Port 25 of {settings.domain} in context {cluster.context} would answer 451, so that senders try again, as most do"
        " for days. What people send is taken and waits; what waits does not leave and does not grow too old. The web"
        " interface says that it will be back. Reading mail with a mail program goes on."
    )
    if not go_ahead(options.context, cluster.context, what):
        return 0
    code = _everywhere(settings, cluster, "on", ("touch", MAINTENANCE))
    print("Maintenance has begun. It ends with: ./kolab maintenance off")
    return code


def end(options: argparse.Namespace) -> int:
    """Takes everything back, and delivers what has waited."""
    settings, cluster = of_stack(options.stack)
    if settings.mail.maintenance:
        raise StackProblem(
            "kolab:mail.maintenance is true, so every start of Postfix begins it again: remove the key, then make up"
            f" STACK={options.stack} ends it"
        )
    code = _everywhere(settings, cluster, "off", ("rm", "-f", MAINTENANCE))
    print("Maintenance has ended; what has waited is being delivered: ./kolab queue list")
    return code


def _everywhere(settings: Settings, cluster: Kubectl, word: str, web: tuple[str, ...]) -> int:
    """In every pod; one that does not answer is named and keeps no other from it."""
    code = 0
    lines: list[tuple[str, str, tuple[str, ...]]] = [
        (pod, "postfix", ("/bin/bash", f"{PATH}/maintenance.sh", word)) for pod in replicas(settings)
    ]
    lines += [(pod, "proxy", web) for pod in cluster.run(*_PROXIES).split()]
    for pod, container, line in lines:
        try:
            cluster.execute(pod, container, *line)
        except StackProblem as problem:
            print(f"maintenance: {pod} is as it was: {problem}; give the same command again", file=sys.stderr)
            code = 1
    return code


def states(settings: Settings, cluster: Kubectl, *, seconds: int = 60) -> Iterator[tuple[str, bool]]:
    """Whether each pod rests."""
    for pod in replicas(settings):
        said = cluster.execute(
            pod, "postfix", "/bin/bash", f"{PATH}/maintenance.sh", "state", seconds=seconds
        )
        yield pod, said.strip() == "on"
    for pod in cluster.run(*_PROXIES, seconds=seconds).split():
        look = ("/bin/sh", "-c", f"if test -f {MAINTENANCE}; then echo on; fi")
        yield pod, cluster.execute(pod, "proxy", *look, seconds=seconds).strip() == "on"


def show(options: argparse.Namespace) -> int:
    """Prints whether it is on; 1 when pods disagree, as after a restart of the proxy."""
    settings, cluster = of_stack(options.stack)
    found = dict(states(settings, cluster))
    if options.json:
        print(json.dumps(found, indent=2))
    else:
        for pod, rests in found.items():
            print(f"{pod}: {'maintenance' if rests else 'open'}")
    # The stack file puts off senders; people may look whether everything is back.
    if len(set(found.values())) > 1 and not settings.mail.maintenance:
        print("Some pods rest and others do not: ./kolab maintenance on, or off", file=sys.stderr)
        return 1
    return 0


_ACTIONS = {
    "on": (begin, "answer 451 on port 25, freeze the queue, say so on the web, after a question"),
    "off": (end, "take everything back and deliver what has waited"),
    "show": (show, "whether it is on, in each pod"),
}
