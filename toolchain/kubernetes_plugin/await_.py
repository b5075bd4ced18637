"""When an object counts as ready: pure verdicts on what the API server says about it."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass

from .wire import Object, Value

SKIP = "pulumi.com/skipAwait"
WAIT_FOR = "pulumi.com/waitFor"
TIMEOUT = "pulumi.com/timeoutSeconds"
DEFAULT_SECONDS = 600.0


class BadCondition(Exception):
    """The annotation pulumi.com/waitFor cannot be understood."""


@dataclass(frozen=True)
class Verdict:
    """Ready, or why not (yet). `failed`: it will not become ready by itself."""

    ready: bool
    reason: str = ""
    failed: bool = False


READY = Verdict(True)
Readiness = Callable[[Object], Verdict]


def readiness_of(obj: Object, waits_for_consumer: Callable[[Object], bool]) -> Readiness | None:
    """How to tell whether this object is ready; None when nobody waits for it.

    `waits_for_consumer` says of a claim whether its volume is made only once a pod wants it.
    """
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    if annotations.get(SKIP) == "true":
        return None
    if annotations.get(WAIT_FOR):
        conditions = [_condition(text) for text in _texts(annotations[WAIT_FOR])]
        return lambda live: next((v for v in (c(live) for c in conditions) if not v.ready), READY)
    kind, group = str(obj.get("kind")), str(obj.get("apiVersion")).rpartition("/")[0]
    if kind == "PersistentVolumeClaim" and waits_for_consumer(obj):
        return None
    return _KINDS.get((group, kind))


def seconds_for(obj: Object, requested: float) -> float:
    """How long to wait: the program's own word, else ten minutes."""
    annotations = (obj.get("metadata") or {}).get("annotations") or {}
    try:
        return requested or float(annotations.get(TIMEOUT) or DEFAULT_SECONDS)
    except ValueError:
        return DEFAULT_SECONDS


def unready_containers(pod: Object) -> str:
    """What is wrong inside a pod, in the genuine plugin's words; empty when nothing is."""
    found = (pod.get("status") or {}).get("containerStatuses") or []
    statuses = [s for s in found if not s.get("ready") and not _is_done(s)]
    if not statuses:
        return ""
    names = " ".join(s["name"] for s in statuses)
    waiting = [(s.get("state") or {}).get("waiting") or {} for s in statuses]
    causes = [f"[{w['reason']}] {w.get('message', '')}".rstrip() for w in waiting if w.get("reason")]
    causes += [_ended(s["name"], t) for s in statuses if (t := (s.get("state") or {}).get("terminated"))]
    metadata = pod["metadata"]
    where = f"[Pod {metadata.get('namespace')}/{metadata['name']}]"
    return f"{where}: containers with unready status: [{names}]{'; '.join(causes)}"


def _is_done(status: Object) -> bool:
    """Whether a container has ended as it should."""
    terminated = (status.get("state") or {}).get("terminated") or {}
    return terminated.get("exitCode") == 0


def _ended(container: str, terminated: Object) -> str:
    """Why a container has ended: what it left as its reason, else its exit code."""
    message = str(terminated.get("message") or "").strip()
    if message and terminated.get("reason"):
        return f"[{terminated['reason']}] {message}"
    return f'container "{container}" completed with exit code {terminated.get("exitCode")}'


def _deployment(live: Object) -> Verdict:
    spec, status = live.get("spec") or {}, live.get("status") or {}
    wanted = spec.get("replicas", 1)
    if not _observed(live):
        return Verdict(False, "Waiting for the Deployment to be seen by its controller")
    # As `kubectl rollout status` sees it: all new, no old ones left, all available.
    updated, available = status.get("updatedReplicas", 0), status.get("availableReplicas", 0)
    if updated < wanted or status.get("replicas", 0) > updated or available < wanted:
        return Verdict(
            False, f"Waiting for app ReplicaSet to be available ({available}/{wanted} Pods available)"
        )
    return READY


def _stateful_set(live: Object) -> Verdict:
    spec, status = live.get("spec") or {}, live.get("status") or {}
    wanted = spec.get("replicas", 1)
    ready = status.get("readyReplicas", 0)
    if not _observed(live) or ready < wanted:
        return Verdict(False, f"{ready} out of {wanted} replicas succeeded readiness checks")
    if (spec.get("updateStrategy") or {}).get("type") == "OnDelete":
        return READY
    partition = ((spec.get("updateStrategy") or {}).get("rollingUpdate") or {}).get("partition", 0)
    if status.get("updatedReplicas", 0) < wanted - partition:
        return Verdict(
            False, f"{status.get('updatedReplicas', 0)} out of {wanted - partition} replicas updated"
        )
    return READY


def _daemon_set(live: Object) -> Verdict:
    status = live.get("status") or {}
    if not _observed(live):
        return Verdict(False, "DaemonSet status.observedGeneration not found")
    wanted = status.get("desiredNumberScheduled", 0)
    available, updated = status.get("numberAvailable", 0), status.get("updatedNumberScheduled", 0)
    if available < wanted or updated < wanted:
        return Verdict(False, f"Available: {min(available, updated)}/{wanted}")
    return READY


def _pod(live: Object) -> Verdict:
    phase = (live.get("status") or {}).get("phase")
    if phase == "Succeeded" or _has_condition(live, "Ready", "True"):
        return READY
    return Verdict(False, unready_containers(live) or f"Pod is {phase}", failed=phase == "Failed")


def _job(live: Object) -> Verdict:
    if _has_condition(live, "Complete", "True") or (live.get("spec") or {}).get("suspend"):
        return READY
    failed = _has_condition(live, "Failed", "True")
    return Verdict(False, "Job has not completed" if not failed else "Job failed", failed=failed)


def _claim(live: Object) -> Verdict:
    phase = (live.get("status") or {}).get("phase")
    return READY if phase == "Bound" else Verdict(False, f"PVC is not Bound. phase: {phase}")


def _service(live: Object) -> Verdict:
    # The genuine plugin also watches endpoints for ten seconds, but is content without any.
    if (live.get("spec") or {}).get("type") != "LoadBalancer" or _addresses(live):
        return READY
    return Verdict(False, "Service was not allocated an IP address; does your cloud provider support this?")


def _ingress(live: Object) -> Verdict:
    if _addresses(live):
        return READY
    return Verdict(False, "Ingress .status.loadBalancer field was not updated with a hostname/IP address.")


_KINDS: dict[tuple[str, str], Readiness] = {
    ("", "PersistentVolumeClaim"): _claim,
    ("", "Pod"): _pod,
    ("", "Service"): _service,
    ("apps", "DaemonSet"): _daemon_set,
    ("apps", "Deployment"): _deployment,
    ("apps", "StatefulSet"): _stateful_set,
    ("batch", "Job"): _job,
    ("networking.k8s.io", "Ingress"): _ingress,
}


def _observed(live: Object) -> bool:
    seen: int = (live.get("status") or {}).get("observedGeneration", 0)
    return bool(seen >= (live.get("metadata") or {}).get("generation", 1))


def _has_condition(live: Object, type_: str, status: str) -> bool:
    conditions = (live.get("status") or {}).get("conditions") or []
    return any(c.get("type") == type_ and c.get("status") == status for c in conditions)


def _addresses(live: Object) -> list[Value]:
    found: list[Value] = ((live.get("status") or {}).get("loadBalancer") or {}).get("ingress") or []
    return found


def _texts(annotation: str) -> list[str]:
    """One condition, or a JSON list of several that must all hold."""
    if not annotation.startswith("["):
        return [annotation]
    try:
        return [str(text) for text in json.loads(annotation)]
    except ValueError:
        raise BadCondition(f"{WAIT_FOR} is not a JSON list: {annotation}") from None


def _condition(text: str) -> Readiness:
    if text.startswith("condition="):
        type_, _, status = text.removeprefix("condition=").partition("=")
        return lambda live: (
            READY
            if _has_condition(live, type_, status or "True")
            else Verdict(False, f"condition {type_} is not met")
        )
    found = re.fullmatch(r"jsonpath=(?P<path>\{[^}]*\}|[^={]+)(?:=(?P<value>.*))?", text)
    if found is None:
        raise BadCondition(f'expected a "jsonpath=" or "condition=" prefix, got "{text}"')
    steps, wanted = _steps(found["path"]), found["value"]

    def readiness(live: Object) -> Verdict:
        values = _select([live], steps)
        if values and (wanted is None or any(_as_text(v) == wanted for v in values)):
            return READY
        return Verdict(
            False, f"{found['path']} selected nothing" if not values else f"{found['path']} is not {wanted}"
        )

    return readiness


def _steps(path: str) -> list[str | int]:
    """The steps of a simple JSONPath: fields, ['quoted fields'], [indices] and [*]."""
    inner = path.strip("{}").removeprefix("$")
    steps: list[str | int] = []
    pattern = re.compile(
        r"\.?(?:\['(?P<quoted>[^']+)'\]|\[(?P<index>\d+)\]|(?P<all>\[\*\])|(?P<field>[\w\\./-]+?(?=[.\[]|$)))"
    )
    while inner:
        step = pattern.match(inner)
        if step is None or not step.end():
            raise BadCondition(f"{WAIT_FOR}: the stand-in cannot read the path {path}")
        if step["index"] is not None:
            steps.append(int(step["index"]))
        else:
            steps.append("*" if step["all"] else step["quoted"] or step["field"])
        inner = inner[step.end() :]
    return steps


def _select(values: list[Value], steps: list[str | int]) -> list[Value]:
    for step in steps:
        if step == "*":
            values = [item for v in values if isinstance(v, list) for item in v]
        elif isinstance(step, int):
            values = [v[step] for v in values if isinstance(v, list) and len(v) > step]
        else:
            values = [v[step] for v in values if isinstance(v, dict) and step in v]
    return values


def _as_text(value: Value) -> str:
    return value if isinstance(value, str) else json.dumps(value)
