"""A node loses its power: no mail is lost, and docs/how-to/when-a-node-dies.md says what happens."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.acceptance.configs import NODES
from tests.acceptance.pace import crowding
from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, PASSWORD, Stack, eventually

pytestmark = [pytest.mark.long, pytest.mark.mode("cluster")]

_OUT_OF_SERVICE = "node.kubernetes.io/out-of-service"
_ANSWER_SECONDS = 60
"""Six times what a quiet machine needs: the figures are in the report."""
_ARRIVAL_SECONDS = 300
"""For what either Postfix still holds: an answer that never came is given up after so long."""
_WRITERS = 4
_QUIET_SECONDS = 5
"""For which strangers write, and no address moves, before anything happens."""
_MOVING_SECONDS = 180
"""For addresses to come back to the node that MetalLB prefers: its speakers look once a minute for one they lost."""
_WATCHED = {"smtp": "25", "proxy": "993"}
"""Public addresses that are used without pause, and on which port. While all is well each node has one of them."""


@dataclass
class Cut:
    """What was seen while a node had no power, and after it had booted again."""

    stack: Stack
    node: str
    outages: dict[str, float] = field(default_factory=dict)
    """Public address that this node held -> the longest time in seconds for which it did not answer."""
    crowded: float = 1
    """How many times longer than on a quiet machine everything took meanwhile."""
    left: list[str] = field(default_factory=list)
    """Messages that the dead Postfix had acknowledged and not yet passed on, as its disk tells."""
    acknowledged: set[str] = field(default_factory=set)
    missing: set[str] = field(default_factory=set)
    """Acknowledged messages that nobody can read in the end."""
    notes: dict[str, str] = field(default_factory=dict)
    """What else a test wants to know."""

    @property
    def other(self) -> str:
        """The node that has power all the time."""
        return next(name for name in NODES if name != self.node)


@pytest.fixture(scope="module")
def mailboxes(stack: Stack, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """The node with the mailboxes on its own disk dies; the database is elsewhere."""
    cut = Cut(stack, _home(stack, "imap"))
    _move(stack, ("mariadb", "redis"), away_from=cut.node)
    with _power_cut(cut, report, tmp_path_factory.mktemp("mailboxes")):
        cut.notes["answer"] = stack.accepted(JANE, "for-a-dead-imap")
        cut.notes["queue"] = _postfix(stack, cut.other, "postqueue", "-p")
        cut.notes["inbox"] = cut.stack.lab.internet.ask(
            stack.client_line("subjects", stack.names.imap, JANE, PASSWORD)
        ).stdout
    cut.notes["read"] = stack.inbox(JANE, "for-a-dead-imap")
    return cut


@pytest.fixture(scope="module")
def database(stack: Stack, mailboxes: Cut, report: Report, tmp_path_factory: pytest.TempPathFactory) -> Cut:
    """The node with the database on a movable volume dies; the mailboxes are elsewhere."""
    cut = Cut(stack, next(name for name in NODES if name != _home(stack, "imap")))
    _move(stack, ("mariadb", "redis"), away_from=cut.other)
    with _power_cut(cut, report, tmp_path_factory.mktemp("database")), ExitStack() as afterwards:
        cut.notes["before"] = stack.received(JANE, "without-a-database")
        cut.notes["waits"] = _home(stack, "mariadb")
        with report.timed("a database follows from a dead node, from `kubectl taint` to ready"):
            _taint(stack, cut.node, "=nodeshutdown:NoExecute")
            afterwards.callback(_taint, stack, cut.node, "-")
            eventually(lambda: _runs(stack, "mariadb", cut.other), "mariadb never came to the other node")
        # Its processes wait for answers of the old database, for minutes.
        stack.kubectl("delete", "pod", stack.pod_on("postfix", cut.other))
        cut.notes["answer"] = stack.accepted(JANE, "with-a-moved-database")
        cut.notes["read"] = stack.inbox(JANE, "with-a-moved-database")
    return cut


@pytest.mark.proves("postfix", "amavis", "mariadb", "webapp", "imap")
def test_mail_waits_in_the_other_queue_for_the_node_of_its_mailboxes(mailboxes: Cut) -> None:
    assert mailboxes.notes["answer"].startswith("250")
    assert JANE in mailboxes.notes["queue"]
    assert not mailboxes.notes["inbox"]
    assert mailboxes.notes["read"]


@pytest.mark.proves("postfix", "mariadb")
def test_a_database_waits_for_its_node_and_nothing_is_bounced(database: Cut) -> None:
    """A StatefulSet makes no second pod until somebody says that the first is dead."""
    assert database.notes["waits"] == database.node
    assert not database.notes["before"].startswith(("2", "5")), database.notes["before"]


@pytest.mark.proves("postfix", "amavis", "mariadb", "webapp", "imap")
def test_a_database_on_a_movable_volume_follows_once_its_node_is_out_of_service(database: Cut) -> None:
    assert database.notes["answer"].startswith("250")
    assert database.notes["read"]


@pytest.mark.proves("postfix", "proxy")
@pytest.mark.parametrize("name", _WATCHED)
def test_an_address_is_answered_by_the_other_node(mailboxes: Cut, database: Cut, name: str) -> None:
    [outage] = [cut.outages[name] for cut in (mailboxes, database) if name in cut.outages]
    assert outage < _ANSWER_SECONDS * max(cut.crowded for cut in (mailboxes, database))


@pytest.mark.proves("postfix", "amavis", "mariadb", "webapp", "imap")
def test_what_either_node_has_acknowledged_is_read_after_its_death(mailboxes: Cut, database: Cut) -> None:
    """One of both took the mail of strangers until its last moment."""
    for cut in (mailboxes, database):
        assert cut.acknowledged
        assert not cut.missing
    assert mailboxes.left or database.left, "no dying node had anything in its queue"


def test_everything_is_ready_again_when_all_nodes_are(mailboxes: Cut, database: Cut) -> None:
    mailboxes.stack.wait_ready()
    for node in NODES:
        database.stack.lab.wait_ready(node)


@contextmanager
def _power_cut(cut: Cut, report: Report, scratch: Path) -> Iterator[None]:
    """Strangers write without pause, the node loses its power, and boots when the block has ended."""
    stack, lab, enough = cut.stack, cut.stack.lab, scratch / "enough"
    _spread(stack)
    first = stack.client_line("stream", stack.names.mx, JANE)
    hosts = {"smtp": stack.names.mx, "proxy": stack.names.imap}
    writers = [
        lab.internet.start([*first, f"{cut.node}-dies-{n}", "1", str(enough)]) for n in range(_WRITERS)
    ]
    watchers = {
        name: lab.internet.start(stack.client_line("outage", hosts[name], port, str(enough)))
        for name, port in _WATCHED.items()
    }
    # A database that has just moved is missed for some seconds.
    stack.accepted(JANE, f"before-{cut.node}-dies")
    held = [name for name, node in _settled(stack).items() if node == cut.node]
    if "smtp" in held:
        # Its Amavis stands still, so that the node dies with mail that it has acknowledged.
        lab.node(cut.node).run(["pkill", "-STOP", "-f", "amavisd"])
        eventually(lambda: _left(stack, cut.node), "no mail waits on the node that dies", every=0.2)
    with crowding() as crowd, ExitStack() as afterwards:
        afterwards.callback(_spread, stack)
        afterwards.callback(lab.wait_ready, cut.node)
        lab.node(cut.node).power_off()
        afterwards.callback(lab.node(cut.node).boot)
        afterwards.callback(enough.touch)
        cut.left = _left(stack, cut.node)
        lab.wait_ready(cut.node, ready=False)
        # Not before: a pod that is not yet given up would still count as ready.
        eventually(lambda: _given_up(stack, cut.node), f"pods of {cut.node} are not given up")
        yield
    cut.crowded = crowd.factor
    cut.acknowledged = set(" ".join(_output(writer) for writer in writers).split())
    for name, watcher in watchers.items():
        silent = float(_output(watcher).split()[0])
        if name in held:
            cut.outages[name] = silent
            report.note(f"the address of {name} is silent when its node dies", silent)
    report.note(f"messages in the queue of a dead node, {cut.node} (number)", len(cut.left))
    stack.flush()
    missing = lambda: cut.acknowledged - set(stack.subjects(JANE))  # noqa: E731
    end = time.monotonic() + _ARRIVAL_SECONDS
    while missing() and time.monotonic() < end:
        time.sleep(2)
        stack.flush()
    cut.missing = missing()


def _settled(stack: Stack) -> dict[str, str]:
    """Watched address -> the node that holds it, once each node has one and none moves any more."""

    def quiet() -> dict[str, str]:
        before = _holders(stack)
        time.sleep(_QUIET_SECONDS)
        return before if set(before.values()) == set(NODES) and _holders(stack) == before else {}

    why = f"{' and '.join(NODES)} never held one of {', '.join(_WATCHED)} each for {_QUIET_SECONDS} s"
    found: dict[str, str] = eventually(quiet, why, seconds=_MOVING_SECONDS)
    return found


def _holders(stack: Stack) -> dict[str, str]:
    addresses = stack.settings.network.addresses
    watched = {"smtp": addresses.smtp[0], "proxy": addresses.proxy}
    return {name: stack.lab.holder(str(address)) for name, address in watched.items()}


def _output(process: subprocess.Popen[str]) -> str:
    return process.communicate()[0]


def _home(stack: Stack, daemon: str) -> str:
    """The node of a daemon that runs once."""
    node: str = stack.pods(daemon)[0]["spec"]["nodeName"]
    return node


def _runs(stack: Stack, daemon: str, node: str) -> bool:
    return any(
        pod["spec"].get("nodeName") == node
        and all(status["ready"] for status in pod["status"].get("containerStatuses", [{"ready": False}]))
        for pod in stack.pods(daemon)
    )


def _given_up(stack: Stack, node: str) -> bool:
    return all(
        "deletionTimestamp" in pod["metadata"] for pod in stack.pods() if pod["spec"].get("nodeName") == node
    )


def _move(stack: Stack, daemons: Sequence[str], *, away_from: str) -> None:
    """Daemons with movable volumes leave a node in good order, as for maintenance."""
    moving = [daemon for daemon in daemons if _home(stack, daemon) == away_from]
    if not moving:
        return
    stack.lab.kubectl("cordon", away_from)
    try:
        for daemon in moving:
            stack.kubectl("delete", "pod", f"{daemon}-0", "--wait=false")
        for daemon in moving:
            there = next(name for name in NODES if name != away_from)
            eventually(lambda d=daemon, n=there: _runs(stack, d, n), f"{daemon} never left {away_from}")
    finally:
        stack.lab.kubectl("uncordon", away_from)
    stack.wait_ready()


def _spread(stack: Stack) -> None:
    """Replicas that fled to the other node do not come back by themselves."""

    def spread() -> bool:
        stack.wait_ready()
        crowded = [daemon for daemon in ("proxy", "webapp", "roundcube") if _crowded(stack, daemon)]
        for daemon in crowded:
            stack.kubectl("delete", "pod", stack.pod(daemon), "--wait=false")
        return not crowded

    eventually(spread, "replicas stay together on one node", seconds=300)


def _crowded(stack: Stack, daemon: str) -> bool:
    pods = stack.pods(daemon)
    return len({pod["spec"]["nodeName"] for pod in pods}) < len(pods)


def _taint(stack: Stack, node: str, what: str) -> None:
    stack.lab.kubectl("taint", "nodes", node, f"{_OUT_OF_SERVICE}{what}")


def _postfix(stack: Stack, node: str, *command: str) -> str:
    pod = stack.pod_on("postfix", node)
    return stack.kubectl("exec", pod, "-c", "postfix", "--", *command)


def _left(stack: Stack, node: str) -> list[str]:
    """Files in the queue on the disk of a node."""
    claim = f"queue-{stack.pod_on('postfix', node)}"
    volume = stack.lab.get("pv", stack.get("pvc", claim)["spec"]["volumeName"])
    spool = Path(volume["spec"]["hostPath"]["path"]) / "spool"
    return [
        path.name
        for queue in ("incoming", "active", "deferred")
        for path in (spool / queue).rglob("*")
        if path.is_file()
    ]
