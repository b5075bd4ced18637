"""Who wins where a node is short: what keeps data over what people do without for an hour.

Kubernetes ends pods of lower priority to make room for one of a higher that fits nowhere else, and a node that runs out
of memory ends them first (Kubernetes: Pod Priority and Preemption; Node-pressure Eviction). Whatever stands in neither list
has the cluster's default.
"""

from __future__ import annotations

from typing import Literal

from model import topology
from model.settings import Settings

Level = Literal["data", "convenience"]

DATA = 1000
"""Above pods without a class, which have 0, and far below those of the cluster itself (2000000000 and more)."""
CONVENIENCE = -10
"""Below them. The cluster autoscaler makes no room for what is lower still (expendable-pods-priority-cutoff)."""
VALUES: dict[Level, int] = {"data": DATA, "convenience": CONVENIENCE}

MEANINGS: dict[Level, str] = {
    "data": "Databases, mailboxes and queues of the Kolab stack",
    "convenience": "Office, video, monitoring and drills of the Kolab stack, which make room for its data",
}

MEMBERS: dict[Level, tuple[topology.Daemon, ...]] = {
    "data": (
        *(topology.MARIADB, topology.REDIS, topology.MINIO, topology.VERSITYGW),
        *(topology.IMAP, topology.POSTFIX),
    ),
    "convenience": (
        *(topology.COLLABORA, topology.MEET, topology.TURN),
        *(topology.PROMETHEUS, topology.ALERTMANAGER, topology.LOGS, topology.VECTOR, topology.BLACKBOX),
        *(topology.ROUND_TRIP, topology.REPORT_READER),
        *(topology.DRILL_DATABASE, topology.DRILL_MAIL),
    ),
}
"""Level -> the daemons that have it."""


def own(settings: Settings) -> dict[Level, str]:
    """The classes that the stack makes: level -> name.

    They belong to the whole cluster, so their names have the namespace, which no two stacks share. It stands last:
    names that begin with system- are kept for Kubernetes, whatever a namespace is called.
    """
    classes = settings.kubernetes.priority_classes
    if not classes.own:
        return {}
    return {
        level: f"{level}-{settings.kubernetes.namespace}"
        for level in MEMBERS
        if given(settings, level) is None
    }


def given(settings: Settings, level: Level) -> str | None:
    """The operator's class for `level`."""
    classes = settings.kubernetes.priority_classes
    return classes.data if level == "data" else classes.convenience
