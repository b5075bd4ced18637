"""What holds for every object of the cluster. One function judges one object; none asks for anything else."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from model import topology
from model.catalogue import objects as rules
from model.findings import Finding

Manifest = Mapping[str, Any]

LOG_COLLECTOR = "vector"
"""The one daemon that reads its node's files and asks the API."""
PLAINTEXT_OR_TRUSTED = {
    ("postfix", "submission"),
    ("postfix", "metrics"),
    ("imap", "imap"),
    ("imap", "http"),
    ("imap", "lmtp"),
    ("imap", "sieve"),
}
"""(daemon, port) that are for daemons of the stack."""
_IN_THE_POD = {topology.REINJECTION_PORT, *(port.number for port in topology.AMAVIS.ports)}
"""Ports that only Postfix and Amavis in one pod may reach."""
_SECRET_NAME = re.compile(r"(PASSWORD|SECRET|TOKEN|PRIVATE_KEY|APP_KEY|DES_KEY)$")


def title(manifest: Manifest) -> str:
    """Kind and name, as kubectl writes them."""
    return f"{manifest.get('kind')}/{(manifest.get('metadata') or {}).get('name')}"


def client_address(manifest: Manifest) -> Iterator[Finding]:
    """Public Services keep the address of the client."""
    spec = manifest.get("spec") or {}
    if _is_public(manifest) and spec.get("externalTrafficPolicy") != "Local":
        policy = spec.get("externalTrafficPolicy") or "Cluster"
        yield rules.CLIENT_ADDRESS.found(object=title(manifest), policy=policy)


def inside_port(manifest: Manifest) -> Iterator[Finding]:
    """Public Services lead to public ports, by name or by number."""
    if not _is_public(manifest):
        return
    selected = ((manifest.get("spec") or {}).get("selector") or {}).get("app.kubernetes.io/name")
    for port in (manifest.get("spec") or {}).get("ports") or ():
        target = port.get("targetPort", port.get("port"))
        for daemon, name in sorted(PLAINTEXT_OR_TRUSTED):
            known = _daemon(daemon).port(name)
            by_number = target == known.number and selected in (None, daemon)
            if (target == name and selected == daemon) or by_number:
                yield rules.INSIDE_PORT.found(
                    object=title(manifest),
                    port=target,
                    daemon=daemon,
                    public=", ".join(_public_names(daemon)),
                )
        if target in _IN_THE_POD:
            yield rules.INSIDE_PORT.found(
                object=title(manifest),
                port=target,
                daemon="amavis",
                public=", ".join(_public_names("postfix")),
            )


def node_access(manifest: Manifest) -> Iterator[Finding]:
    """Pods share nothing with their node."""
    pod = pod_of(manifest)
    shared = [key for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key)]
    if _daemon_of(manifest) != LOG_COLLECTOR:
        shared += [
            f"the path {v['hostPath'].get('path')}" for v in pod.get("volumes") or () if v.get("hostPath")
        ]
    for what in shared:
        yield rules.NODE_NAMESPACES.found(object=title(manifest), what=what)


def privileged(manifest: Manifest) -> Iterator[Finding]:
    """No container is privileged, gains privileges, or may load code into the kernel."""
    for container in _containers(manifest):
        context = container.get("securityContext") or {}
        added = set((context.get("capabilities") or {}).get("add") or ())
        faults = ["is privileged"] if context.get("privileged") else []
        if heavy := sorted(added & {"ALL", "SYS_ADMIN", "SYS_MODULE", "SYS_PTRACE", "NET_ADMIN", "BPF"}):
            faults.append(f"has {', '.join(heavy)}")
        for what in faults:
            yield rules.PRIVILEGED.found(object=title(manifest), container=container.get("name"), what=what)


def unlimited(manifest: Manifest) -> Iterator[Finding]:
    """Every container has a limit of memory."""
    for container in _containers(manifest):
        if not ((container.get("resources") or {}).get("limits") or {}).get("memory"):
            yield rules.UNLIMITED.found(object=title(manifest), container=container.get("name"))


def plain_secret(manifest: Manifest) -> Iterator[Finding]:
    """No secret is a plain value of a variable. Paths and public halves are none."""
    for container in _containers(manifest):
        for variable in container.get("env") or ():
            value = str(variable.get("value") or "")
            if _SECRET_NAME.search(str(variable.get("name"))) and value and not value.startswith("/"):
                yield rules.PLAIN_SECRET.found(object=title(manifest), variable=variable.get("name"))


def two_writers(manifest: Manifest) -> Iterator[Finding]:
    """A Deployment with a volume of its own never has two pods."""
    if manifest.get("kind") != "Deployment":
        return
    spec = manifest.get("spec") or {}
    claims = [
        v["persistentVolumeClaim"].get("claimName")
        for v in pod_of(manifest).get("volumes") or ()
        if v.get("persistentVolumeClaim")
    ]
    alone = int(spec.get("replicas") or 1) == 1 and (spec.get("strategy") or {}).get("type") == "Recreate"
    for claim in claims if not alone else ():
        yield rules.TWO_WRITERS.found(object=title(manifest), claim=claim)


def api_token(manifest: Manifest) -> Iterator[Finding]:
    """Pods have no token, but for the log collector's."""
    pod = pod_of(manifest)
    if pod and pod.get("automountServiceAccountToken") is not False and _daemon_of(manifest) != LOG_COLLECTOR:
        yield rules.API_TOKEN.found(object=title(manifest))


def system_priority(manifest: Manifest) -> Iterator[Finding]:
    """Pods come before none of the cluster's own."""
    chosen = str(pod_of(manifest).get("priorityClassName") or "")
    if chosen.startswith("system-"):
        yield rules.SYSTEM_PRIORITY.found(object=title(manifest), chosen=chosen)


def image_moves(manifest: Manifest) -> Iterator[Finding]:
    """Images are named by their digests."""
    for image in dict.fromkeys(str(container.get("image")) for container in _containers(manifest)):
        if "@sha256:" not in image:
            yield rules.IMAGE_MOVES.found(object=title(manifest), image=image)


def way_out(manifest: Manifest) -> Iterator[Finding]:
    """Port 25 of the world is Postfix' alone."""
    if manifest.get("kind") != "NetworkPolicy":
        return
    spec = manifest.get("spec") or {}
    selected = ((spec.get("podSelector") or {}).get("matchLabels") or {}).get("app.kubernetes.io/name")
    if selected == "postfix":
        return
    for rule in spec.get("egress") or ():
        outside = not rule.get("to") or any("ipBlock" in peer for peer in rule["to"])
        ports = rule.get("ports")
        if outside and (not ports or any(_covers(port, 25) for port in ports)):
            yield rules.WAY_OUT.found(object=title(manifest))


def unguarded(manifest: Manifest, *, protect: bool) -> Iterator[Finding]:
    """What holds data is protected; `protect` is the option of the resource."""
    if manifest.get("kind") in ("PersistentVolumeClaim",) and not protect:
        yield rules.UNGUARDED.found(object=title(manifest))


RULES = (
    client_address,
    inside_port,
    node_access,
    privileged,
    unlimited,
    plain_secret,
    two_writers,
    api_token,
    system_priority,
    image_moves,
    way_out,
)
"""Those that need the object alone."""


def judge(manifest: Manifest) -> Iterator[Finding]:
    """Everything that speaks against one object."""
    for rule in RULES:
        yield from rule(manifest)


def pod_of(manifest: Manifest) -> Mapping[str, Any]:
    """The pod of a workload; empty for everything else."""
    spec = manifest.get("spec") or {}
    if manifest.get("kind") == "Pod":
        return dict(spec)
    if manifest.get("kind") == "CronJob":
        spec = (spec.get("jobTemplate") or {}).get("spec") or {}
    if manifest.get("kind") not in ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob", "ReplicaSet"):
        return {}
    found: Mapping[str, Any] = (spec.get("template") or {}).get("spec") or {}
    return found


def _containers(manifest: Manifest) -> list[Mapping[str, Any]]:
    pod = pod_of(manifest)
    return [*(pod.get("initContainers") or ()), *(pod.get("containers") or ())]


def _is_public(manifest: Manifest) -> bool:
    kind = (manifest.get("spec") or {}).get("type")
    return manifest.get("kind") == "Service" and kind in ("LoadBalancer", "NodePort")


def _daemon_of(manifest: Manifest) -> str:
    labels = (manifest.get("metadata") or {}).get("labels") or {}
    return str(labels.get("app.kubernetes.io/name", ""))


def _daemon(name: str) -> topology.Daemon:
    return {"postfix": topology.POSTFIX, "imap": topology.IMAP}[name]


def _public_names(daemon: str) -> list[str]:
    return [port.name for port in _daemon(daemon).ports if (daemon, port.name) not in PLAINTEXT_OR_TRUSTED]


def _covers(port: Mapping[str, Any], number: int) -> bool:
    """Whether a port of a policy includes `number` of TCP (Kubernetes API: NetworkPolicyPort)."""
    if port.get("protocol", "TCP") != "TCP":
        return False
    first = port.get("port")
    if first is None:
        return True
    return isinstance(first, int | float) and first <= number <= (port.get("endPort") or first)
