"""What the objects of a cluster say of the stack. Pure: objects as the API server gives them, rows as people read them."""

from __future__ import annotations

import datetime
from collections.abc import Iterator, Mapping, Sequence

from model import images
from model.settings import Settings
from ops.kubectl import Object
from ops.status.row import Row, State

_NAME = "app.kubernetes.io/name"
_RENEWAL = datetime.timedelta(days=1)
"""How long after its renewal was due a certificate may still be the old one."""


def of_kind(objects: Sequence[Object], kind: str) -> list[Object]:
    """The objects of one kind."""
    return [each for each in objects if each["kind"] == kind]


def daemon_of(each: Object) -> str:
    """The daemon that an object belongs to; empty for what is not of the stack."""
    return str(each["metadata"].get("labels", {}).get(_NAME, ""))


def ready(pod: Object) -> bool:
    """Whether every container of a pod is ready, and the pod is not about to go."""
    statuses = pod.get("status", {}).get("containerStatuses") or [{}]
    return "deletionTimestamp" not in pod["metadata"] and all(each.get("ready") for each in statuses)


def lasting(pods: Sequence[Object]) -> list[Object]:
    """Pods that are meant to run for ever."""
    return [
        pod
        for pod in pods
        if not any(owner["kind"] == "Job" for owner in pod["metadata"].get("ownerReferences", []))
    ]


def pods(objects: Sequence[Object]) -> Iterator[Row]:
    """A row for each workload that runs for ever: how many of its pods are ready, where, and why one is not."""
    running = lasting(of_kind(objects, "Pod"))
    for workload in (*of_kind(objects, "StatefulSet"), *of_kind(objects, "Deployment")):
        name = workload["metadata"]["name"]
        own = [pod for pod in running if daemon_of(pod) == daemon_of(workload)]
        wanted = workload["spec"].get("replicas", 1)
        good = sum(map(ready, own))
        nodes = sorted({pod["spec"].get("nodeName", "no node") for pod in own})
        restarts = sum(
            status.get("restartCount", 0)
            for pod in own
            for status in pod.get("status", {}).get("containerStatuses") or []
        )
        said = [f"{good} of {wanted} ready"]
        said += [f"on {', '.join(nodes)}"] if nodes else []
        said += [f"{restarts} restarts"] if restarts else []
        said += [why for pod in own if not ready(pod) and (why := _why(pod))]
        yield Row("pods", name, "ok" if good >= wanted > 0 else "wrong", "; ".join(said))


def _why(pod: Object) -> str:
    name = pod["metadata"]["name"]
    if "deletionTimestamp" in pod["metadata"]:
        return f"{name} is stopping"
    status = pod.get("status", {})
    for container in (*status.get("initContainerStatuses", []), *status.get("containerStatuses", [])):
        waiting = container.get("state", {}).get("waiting", {}).get("reason")
        if waiting and waiting != "PodInitializing":
            return f"{container['name']} of {name}: {waiting}"
    for condition in status.get("conditions", []):
        if condition.get("type") == "PodScheduled" and condition.get("status") == "False":
            return f"{name} has no node: {condition.get('message', condition.get('reason', ''))[:120]}"
    return f"{name} is not ready yet"


def addresses(objects: Sequence[Object], settings: Settings, announced: Mapping[str, str]) -> Iterator[Row]:
    """A row for each public address: what it answers, and which node announces it.

    `announced` is what MetalLB says (Service -> node). Only a node with a ready pod can be right: with
    externalTrafficPolicy Local no other one takes what comes.
    """
    if settings.network.load_balancer == "hostPort":
        yield Row("addresses", "of the nodes", "ok", "the nodes' own: hostPort announces nothing")
        return
    running = [pod for pod in lasting(of_kind(objects, "Pod")) if ready(pod)]
    for service in of_kind(objects, "Service"):
        if service["spec"].get("type") != "LoadBalancer":
            continue
        name, spec = service["metadata"]["name"], service["spec"]
        given = [
            each.get("ip") or each.get("hostname", "")
            for each in service.get("status", {}).get("loadBalancer", {}).get("ingress") or []
        ]
        ports = ",".join(str(port["port"]) for port in spec.get("ports", []))
        behind = [
            pod
            for pod in running
            if (spec.get("selector") or {}).items() <= pod["metadata"].get("labels", {}).items()
        ]
        nodes = sorted({pod["spec"]["nodeName"] for pod in behind})
        if not given:
            yield Row("addresses", name, "wrong", f"has no address yet (ports {ports})")
        elif not nodes:
            yield Row(
                "addresses",
                name,
                "wrong",
                f"{', '.join(given)} ({ports}): no ready pod, so nobody announces it",
            )
        else:
            said = announced.get(name)
            by = nodes[0] if len(nodes) == 1 else f"one of {', '.join(nodes)}"
            if len(nodes) > 1 and said in nodes:
                by = f"{said}; {', '.join(node for node in nodes if node != said)} would take over"
            yield Row("addresses", name, "ok", f"{', '.join(given)} ({ports}) announced by {by}")


def announcers(statuses: Sequence[Object]) -> dict[str, str]:
    """Service -> node, of MetalLB's ServiceL2Status objects."""
    found = {}
    for each in statuses:
        status = each.get("status", {})
        if status.get("serviceName") and status.get("node"):
            found[status["serviceName"]] = status["node"]
    return found


def certificates(found: Sequence[Object], now: datetime.datetime) -> Iterator[Row]:
    """A row for each certificate that cert-manager keeps: until when it is good, and why it is not."""
    for each in found:
        name, status = each["metadata"]["name"], each.get("status", {})
        conditions = {c["type"]: c for c in status.get("conditions", [])}
        good = conditions.get("Ready", {}).get("status") == "True"
        until = _time(status.get("notAfter"))
        due = _time(status.get("renewalTime"))
        if until is None:
            said = conditions.get("Ready", {}).get("message", "cert-manager has not looked at it yet")
            # A hosted domain's comes when its owner has pointed its names here, which may be never.
            yield Row("certificates", name, "warning" if name.startswith("tls.") else "wrong", said[:160])
        elif until <= now:
            yield Row("certificates", name, "wrong", f"expired on {until:%Y-%m-%d}")
        elif due is not None and due + _RENEWAL <= now:
            yield Row(
                "certificates",
                name,
                "warning",
                f"was to be renewed on {due:%Y-%m-%d}, good until {until:%Y-%m-%d}",
            )
        else:
            days = (until - now).days
            yield Row(
                "certificates",
                name,
                "ok" if good else "warning",
                f"good until {until:%Y-%m-%d}, {days} days" + ("" if good else "; a new one is being made"),
            )


def versions(objects: Sequence[Object], settings: Settings) -> Iterator[Row]:
    """Whether each container runs the image that the stack file and the pins name."""
    pinned = {images.reference(settings.images, name) for name in (*images.KOLAB, *images.OTHERS)}
    by_repository = {_repository(reference): reference for reference in pinned}
    other, running = [], dict[str, set[str]]()
    for pod in lasting(of_kind(objects, "Pod")):
        for container in pod["spec"]["containers"]:
            image = container["image"]
            if image not in pinned:
                meant = by_repository.get(_repository(image), "nothing")
                other.append(f"{container['name']} runs {image}, pinned is {meant}")
        for status in pod.get("status", {}).get("containerStatuses") or []:
            if status.get("imageID"):
                running.setdefault(status["name"], set()).add(status["imageID"].rpartition("@")[2])
    mixed = sorted(name for name, ids in running.items() if len(ids) > 1)
    for text in sorted(set(other)):
        yield Row("versions", text.partition(" ")[0], "warning", f"{text}: ./kolab preview, then make up")
    for name in mixed:
        yield Row("versions", name, "warning", f"two versions of its image run: its tag has moved ({name})")
    if not other and not mixed:
        moving = (
            [] if all(name in settings.images.digests for name in images.KOLAB) else [settings.images.tag]
        )
        more = (
            f"; the tag {moving[0]} of Kolab's own moves, digests in kolab:images would not" if moving else ""
        )
        yield Row("versions", "images", "ok", f"{len(running)} containers run what is pinned{more}")


def _repository(image: str) -> str:
    name = image.partition("@")[0]
    head, _, last = name.rpartition("/")
    return f"{head}/{last.partition(':')[0]}"


def claims(objects: Sequence[Object], summaries: Sequence[Object], settings: Settings) -> Iterator[Row]:
    """A row for each volume: how full it is, by what the kubelets measure."""
    used: dict[str, tuple[int, int]] = {}
    for summary in summaries:
        for pod in summary.get("pods", []):
            for volume in pod.get("volume", []):
                of = volume.get("pvcRef", {})
                if of.get("namespace") == settings.kubernetes.namespace and volume.get("capacityBytes"):
                    used[of["name"]] = (volume.get("usedBytes", 0), volume["capacityBytes"])
    for claim in of_kind(objects, "PersistentVolumeClaim"):
        name = claim["metadata"]["name"]
        phase = claim.get("status", {}).get("phase")
        size = claim.get("status", {}).get("capacity", {}).get("storage", "?")
        if phase != "Bound":
            yield Row("storage", name, "wrong", f"is {phase}, not bound to a volume")
        elif name not in used:
            yield Row("storage", name, "unknown", f"{size}; no pod mounts it, or its node does not tell")
        else:
            share = round(100 * used[name][0] / used[name][1])
            state: State = "wrong" if share >= 95 else "warning" if share >= 85 else "ok"
            yield Row("storage", name, state, f"{share} % of {used[name][1] / 2**30:.1f} GiB in use")


def alerts(found: Sequence[Object]) -> Iterator[Row]:
    """A row for each alert that burns and is not silenced."""
    burning = [each for each in found if each.get("status", {}).get("state", "active") == "active"]
    for each in burning:
        labels, notes = each.get("labels", {}), each.get("annotations", {})
        state: State = "wrong" if labels.get("severity") == "page" else "warning"
        yield Row("alerts", labels.get("alertname", "?"), state, notes.get("summary", "")[:160])
    if not burning:
        yield Row("alerts", "none", "ok", "nothing burns")


def _time(text: str | None) -> datetime.datetime | None:
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")) if text else None
