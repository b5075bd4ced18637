"""The contract held against rendered pods, without starting anything: what contract-check would say, as far as YAML tells."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from tests.lab.images.contract import Need
from tests.lab.images.pods import Spec, Workload, image_called


def problems(workload: Workload, container: Spec) -> Iterator[str]:
    """Sentences of the needs that a container of `workload` does not meet."""
    made = image_called(container["image"])
    env = {**made.env, **workload.environment(container)}
    for need in made.needs:
        if _counts(need, env) and not _met(need, workload, container, env):
            yield f"{workload.name}/{container['name']}: {need.sentence} ({need.source})"


def _counts(need: Need, env: Mapping[str, str]) -> bool:
    conditions = [condition.partition("=") for condition in (need.when or "").split()]
    return all(re.fullmatch(pattern, env.get(name, "")) for name, _, pattern in conditions)


def _met(need: Need, workload: Workload, container: Spec, env: Mapping[str, str]) -> bool:
    context = container.get("securityContext", {})
    mounts = container.get("volumeMounts", [])
    value = env.get(need.subject, "")
    like = re.search(need.pattern or "", value, re.MULTILINE) is not None
    path = re.sub(r"\$\{?(\w+)\}?", lambda found: env.get(found[1], ""), need.subject)
    verdicts = {
        "env": bool(value) and like,
        "unset": need.subject not in env,
        "user": str(context.get("runAsUser")) == need.subject,
        "capability": need.subject in context.get("capabilities", {}).get("add", []),
        "escalation": bool(context.get("allowPrivilegeEscalation", True)),
        "persistent": any(m["mountPath"] == need.subject and workload.persists(m["name"]) for m in mounts),
        # A path that comes from a program's arguments is known inside only.
        "file": not path or any(_holds(mount, path) for mount in mounts),
        "contains": not path or any(_holds(mount, path) for mount in mounts),
    }
    # Folders and who may write to them are not in the YAML.
    return verdicts.get(need.kind, True)


def _holds(mount: Mapping[str, str], path: str) -> bool:
    return path == mount["mountPath"] or path.startswith(f"{mount['mountPath']}/")
