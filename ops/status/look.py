"""Asks the cluster everything at the same time, and no question for longer than people wait."""

from __future__ import annotations

import datetime
import json
import re
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor, wait
from dataclasses import dataclass, field

from model.monitoring.log_program import BACKUP
from model.monitoring.places import ALERTMANAGER_PATH
from model.settings import ExistingSecrets, Settings
from ops import maintenance
from ops.backup import files_keeper
from ops.kubectl import Kubectl, Object
from ops.memo import Memo
from ops.people import application
from ops.people.domain import differences
from ops.queue.messages import Message, age, look
from ops.stacks import StackProblem
from ops.status import cluster as judge
from ops.status import steps
from ops.status.row import Row, State

LIMIT = 4.5
"""Seconds after which a part that has not answered is unknown."""
_EACH = 4
"""Seconds for all calls of kubectl: none goes on when the page is there, since the command would wait for it."""
_KINDS = "pods,services,persistentvolumeclaims,statefulsets,deployments,cronjobs"
_OLD = datetime.timedelta(hours=1)
"""Mail that has waited longer is worth a look; greylisting is over by then."""
_CLOCKS = datetime.timedelta(minutes=10)
"""How much two machines may differ."""


@dataclass(frozen=True)
class Hurried(Kubectl):
    """The same cluster, that has answered or is given up at `ends` (time.monotonic), however many questions there are."""

    inner: Kubectl
    ends: float

    def run(self, *arguments: str, text: str | None = None, seconds: float = _EACH) -> str:
        """What kubectl prints. Raises StackProblem when it fails, and when no time is left to ask."""
        left = self.ends - time.monotonic()
        if left <= 0:
            raise StackProblem(f"no answer within {_EACH} s")
        return self.inner.run(*arguments, text=text, seconds=min(seconds, left))


@dataclass(frozen=True)
class Visit:
    """One look at a stack."""

    settings: Settings
    cluster: Kubectl
    now: datetime.datetime
    _memo: Memo = field(default_factory=Memo)

    def objects(self) -> list[Object]:
        """Objects of the namespace, asked for once."""
        return self._memo.get("objects", lambda: self.cluster.objects(_KINDS, seconds=_EACH))


def rows(visit: Visit) -> list[Row]:
    """Everything, in the order of the parts; what does not answer in time is said to be unknown."""
    found: dict[str, list[Row]] = {}
    lock = threading.Lock()

    def one(part: str, question: Callable[[Visit], Iterable[Row]]) -> None:
        try:
            seen = list(question(visit))
        except StackProblem as problem:
            seen = [Row(part, "", "unknown", str(problem))]
        except (KeyError, TypeError, ValueError) as error:
            seen = [Row(part, "", "unknown", f"the answer cannot be understood ({type(error).__name__})")]
        with lock:
            found[part] = seen

    hurried = Hurried(visit.cluster.context, visit.cluster.namespace, visit.cluster, time.monotonic() + _EACH)
    visit = Visit(visit.settings, hurried, visit.now)
    pool = ThreadPoolExecutor(len(_PARTS))
    asked = [pool.submit(one, part, question) for part, question in _PARTS.items()]
    wait(asked, timeout=LIMIT)
    pool.shutdown(wait=False, cancel_futures=True)
    late = f"no answer within {LIMIT} s"
    with lock:
        return [row for part in _PARTS for row in found.get(part, [Row(part, "", "unknown", late)])]


def _pods(visit: Visit) -> Iterator[Row]:
    return judge.pods(visit.objects())


def _addresses(visit: Visit) -> Iterator[Row]:
    announced: dict[str, str] = {}
    if visit.settings.network.load_balancer == "metallb":
        line = ("get", "servicel2statuses.metallb.io", "--all-namespaces", "-o", "json")
        try:
            announced = judge.announcers(json.loads(visit.cluster.run(*line, seconds=_EACH))["items"])
        except StackProblem:
            # Older than 0.14, or not ours to read: then the pods alone tell.
            announced = {}
    return judge.addresses(visit.objects(), visit.settings, announced)


def _certificates(visit: Visit) -> Iterator[Row]:
    if isinstance(visit.settings.tls, ExistingSecrets):
        return iter(
            [
                Row(
                    "certificates",
                    "yours",
                    "ok",
                    "kept by you: ./kolab doctor --only certificates looks at them",
                )
            ]
        )
    return judge.certificates(visit.cluster.objects("certificates.cert-manager.io", seconds=_EACH), visit.now)


def _domains(visit: Visit) -> Iterator[Row]:
    """Stack file and application must name the same domains: else mail is refused, or has no records."""
    there = application.domains(visit.cluster, seconds=_EACH)
    wrong = dict(differences(visit.settings, there))
    for name, text in wrong.items():
        yield Row("domains", name, "wrong" if name in visit.settings.taking else "warning", text)
    if not wrong:
        yield Row("domains", "all", "ok", f"stack file and application agree about {len(there)}")


def _queue(visit: Visit) -> Iterator[Row]:
    found, silent = look(visit.cluster, visit.settings, seconds=_EACH)
    yield from queue_rows(found, visit.now)
    for pod, problem in silent.items():
        yield Row("queue", pod, "unknown", str(problem))


def queue_rows(found: list[Message], now: datetime.datetime) -> Iterator[Row]:
    """How much waits, since when, and why most of it does."""
    if not found:
        yield Row("queue", "all", "ok", "nothing waits")
        return
    oldest = now - found[0].arrived
    held = sum(each.queue == "hold" for each in found)
    state: State = "warning" if oldest > _OLD or held else "ok"
    text = f"{len(found)} wait, {held} on hold, the oldest for {age(oldest)}: ./kolab queue why"
    yield Row("queue", "all", state, text)


def _maintenance(visit: Visit) -> Iterator[Row]:
    rests = [pod for pod, rest in maintenance.states(visit.settings, visit.cluster, seconds=_EACH) if rest]
    if rests:
        way = (
            "remove kolab:mail.maintenance" if visit.settings.mail.maintenance else "./kolab maintenance off"
        )
        text = f"on in {', '.join(rests)}, so senders are put off (451): {way}"
        yield Row("maintenance", "all", "warning", text)
    else:
        yield Row("maintenance", "all", "ok", "off")


def _storage(visit: Visit) -> Iterator[Row]:
    objects = visit.objects()
    nodes = sorted({pod["spec"].get("nodeName", "") for pod in judge.of_kind(objects, "Pod")} - {""})

    def summary(node: str) -> Object:
        path = f"/api/v1/nodes/{node}/proxy/stats/summary"
        try:
            found: Object = json.loads(visit.cluster.run("get", "--raw", path, seconds=_EACH))
        except (StackProblem, ValueError):
            # The node is away, or whoever asks may not ask nodes: its volumes are unknown.
            return {}
        return found

    with ThreadPoolExecutor(max(1, len(nodes))) as pool:
        summaries = list(pool.map(summary, nodes))
    return judge.claims(objects, summaries, visit.settings)


def _backups(visit: Visit) -> Iterator[Row]:
    schedule = visit.settings.backup
    if schedule is None:
        yield Row("backup", "none", "warning", "kolab:backup names no repository: nothing is backed up")
        return
    late = datetime.timedelta(hours=2 * schedule.every + 1)
    jobs = {each["metadata"]["name"]: each for each in judge.of_kind(visit.objects(), "CronJob")}
    text = jobs.get("backup-database", {}).get("status", {}).get("lastSuccessfulTime")
    last = {"database": datetime.datetime.fromisoformat(text) if text else None}
    last["mail"] = _kept(visit, "imap-0", "backup-mail")
    if visit.settings.own_files:
        last["files"] = _kept(visit, *files_keeper(visit.settings))
    for engine, moment in last.items():
        yield kept(engine, moment, visit.now, late)


def kept(
    engine: str, moment: datetime.datetime | None, now: datetime.datetime, late: datetime.timedelta
) -> Row:
    """What is said of an engine whose last backup ended at `moment`, and is late after so long."""
    if moment is None:
        return Row("backup", engine, "warning", "none that anything here remembers: ./kolab backup list")
    if moment - now > _CLOCKS:
        why = "which is still to come: the clock of its node is wrong, or that of this machine"
        return Row("backup", engine, "warning", f"{moment:%Y-%m-%d %H:%M} UTC, {why}")
    state: State = "warning" if now - moment > late else "ok"
    return Row("backup", engine, state, f"{moment:%Y-%m-%d %H:%M} UTC, {age(now - moment)} ago")


def _kept(visit: Visit, pod: str, container: str) -> datetime.datetime | None:
    """When the last backup ended, by the log of its container; the repository itself answers too slowly."""
    line = ("logs", pod, "-c", container, "--timestamps", "--tail=400")
    return last_kept(visit.cluster.run(*line, seconds=_EACH))


def last_kept(log: str) -> datetime.datetime | None:
    """The moment of the last line that says so, of a log with timestamps."""
    kept = re.compile(BACKUP)
    moments = [
        head for head, _, said in (line.partition(" ") for line in log.splitlines()) if kept.match(said)
    ]
    if not moments:
        return None
    # Nanoseconds are more than Python reads.
    text = re.sub(r"(\.\d{6})\d*", r"\1", moments[-1]).replace("Z", "+00:00")
    return datetime.datetime.fromisoformat(text).astimezone(datetime.UTC)


def _alerts(visit: Visit) -> Iterator[Row]:
    if not visit.settings.monitoring.enabled:
        return iter([Row("alerts", "none", "warning", "kolab:monitoring is off: nobody is told of anything")])
    if not visit.settings.monitoring.own:
        said = "the cluster's Alertmanager has them: label stack is the domain of this stack"
        return iter([Row("alerts", "elsewhere", "ok", said)])
    url = f"http://localhost:9093{ALERTMANAGER_PATH}"
    line = ("amtool", "alert", "query", "--output=json", f"--alertmanager.url={url}")
    said = visit.cluster.execute("alertmanager-0", "alertmanager", *line, seconds=_EACH)
    return judge.alerts(json.loads(said or "[]"))


def _versions(visit: Visit) -> Iterator[Row]:
    return judge.versions(visit.objects(), visit.settings)


def _steps(visit: Visit) -> Iterator[Row]:
    return steps.rows(visit.settings, visit.now.date())


_PARTS: dict[str, Callable[[Visit], Iterable[Row]]] = {
    "pods": _pods,
    "addresses": _addresses,
    "certificates": _certificates,
    "domains": _domains,
    "queue": _queue,
    "maintenance": _maintenance,
    "storage": _storage,
    "backup": _backups,
    "alerts": _alerts,
    "versions": _versions,
    "steps": _steps,
}
PARTS = tuple(_PARTS)
"""Of the status, in the order in which they are shown."""
