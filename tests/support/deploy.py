"""Runs the program, or a piece of it, without an engine, and answers questions about what it would create.

On top of ops/recorder.py, which refuses what pulumi's mocks forgive. `deploy` runs the whole stack of some
settings with a sentinel in place of each secret; `recorded` runs any piece.
"""

from __future__ import annotations

import base64
import functools
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from components.composition import Composition
from components.daemon import Site
from components.guard import Guard
from components.kolab import Kolab
from components.parts.edge import certificates, expose
from model.identity.snapshot import snapshot
from model.settings import Settings
from ops.recorder import Registered, record
from tests.support.shared import once
from tests.support.validate import Manifest, schema_errors

SALT = "SentinelContentSalt"
MAIN = "kolab"
"""The namespace of pieces."""


@dataclass(frozen=True)
class Workload:
    """One kind of pods: what makes them, and their template."""

    object: Manifest
    template: Manifest

    @property
    def kind(self) -> str:
        return str(self.object["kind"])

    @property
    def name(self) -> str:
        return str(self.object["metadata"]["name"])

    @property
    def daemon(self) -> str:
        """Its name in the topology; a Job is called after its content."""
        return str(self.labels["app.kubernetes.io/name"])

    @property
    def namespace(self) -> str:
        return str(self.object["metadata"]["namespace"])

    @property
    def labels(self) -> dict[str, str]:
        return dict(self.template["metadata"]["labels"])

    @property
    def pod(self) -> dict[str, Any]:
        """The pod's spec."""
        return dict(self.template["spec"])

    @property
    def containers(self) -> list[dict[str, Any]]:
        """All containers, those of the start included."""
        return [*self.pod.get("initContainers", ()), *self.pod["containers"]]

    @property
    def runs_for_ever(self) -> bool:
        return self.kind not in ("Job", "CronJob")

    def container(self, name: str) -> dict[str, Any]:
        """The container called `name`."""
        return _the_one([c for c in self.containers if c["name"] == name], f"container {name} in {self.name}")

    def env(self, container: str) -> dict[str, str]:
        """Plain environment variables."""
        return {each["name"]: each.get("value", "") for each in self.container(container).get("env", ())}

    def port(self, name: str) -> list[dict[str, Any]]:
        """Ports called `name`, of all containers."""
        return [p for c in self.containers for p in c.get("ports", ()) if p.get("name") == name]


@dataclass(frozen=True)
class Deployment:
    """What a program registered."""

    resources: tuple[Registered, ...]
    sentinels: Mapping[str, str] = field(default_factory=dict)

    @functools.cached_property
    def objects(self) -> list[Manifest]:
        """The Kubernetes objects."""
        return [found for each in self.resources if (found := each.object) is not None]

    @property
    def urns(self) -> set[str]:
        return {each.urn for each in self.resources}

    def faults(self) -> list[str]:
        """What an API server would refuse: above all misspelt keys, which pulumi passes on as they are."""
        return schema_errors(self.objects)

    def of_kind(self, *kinds: str) -> list[Manifest]:
        return [each for each in self.objects if each["kind"] in kinds]

    def names(self, kind: str) -> set[str]:
        return {each["metadata"]["name"] for each in self.of_kind(kind)}

    def get(self, kind: str, name: str) -> Manifest:
        """The object of that kind and name."""
        found = [each for each in self.of_kind(kind) if each["metadata"]["name"] == name]
        return _the_one(found, f"{kind} {name}")

    def registered(self, manifest: Manifest) -> Registered:
        """The resource behind an object."""
        return next(each for each in self.resources if each.object is manifest)

    @functools.cached_property
    def workloads(self) -> list[Workload]:
        return [Workload(each, template) for each in self.objects if (template := _template(each))]

    def workload(self, daemon: str) -> Workload:
        """The workload of a daemon of the topology."""
        return _the_one([each for each in self.workloads if each.daemon == daemon], f"workload of {daemon}")

    def service(self, name: str) -> Manifest:
        return self.get("Service", name)

    def file(self, daemon: str, container: str, path: str) -> str:
        """What a container finds in the file `path` that comes from a ConfigMap or a Secret."""
        workload = self.workload(daemon)
        for mount in workload.container(container).get("volumeMounts", ()):
            file = _file_below(mount, path)
            if file is None:
                continue
            volume = _the_one(
                [v for v in workload.pod["volumes"] if v["name"] == mount["name"]], mount["name"]
            )
            if "configMap" in volume:
                return str(self.get("ConfigMap", volume["configMap"]["name"])["data"][file])
            if "secret" in volume:
                return str(self.get("Secret", volume["secret"]["secretName"])["stringData"][file])
        raise AssertionError(f"{daemon}/{container} has no file {path} from a ConfigMap or Secret")

    def folder(self, daemon: str, container: str, path: str) -> dict[str, str]:
        """The files that a container finds in the folder `path`, which is a ConfigMap."""
        workload = self.workload(daemon)
        mounts = [m for m in workload.container(container)["volumeMounts"] if m["mountPath"] == path]
        mount = _the_one(mounts, f"mount of {path} in {daemon}/{container}")
        volume = _the_one([v for v in workload.pod["volumes"] if v["name"] == mount["name"]], mount["name"])
        return dict(self.get("ConfigMap", volume["configMap"]["name"])["data"])

    def secret_env(self, daemon: str, container: str) -> dict[str, str]:
        """Environment variables that come from Secrets."""
        return self.secrets_of(self.workload(daemon), container)

    def secrets_of(self, workload: Workload, container: str) -> dict[str, str]:
        """The same, of one of several workloads of a daemon."""
        sources = workload.container(container).get("envFrom", ())
        names = [each["secretRef"]["name"] for each in sources]
        return {key: value for name in names for key, value in self.get("Secret", name)["stringData"].items()}

    def clients(self, daemon: str, port: int) -> set[str]:
        """Who may open connections to a port of a daemon: daemons, namespaces, or "anyone"."""
        found: set[str] = set()
        for rule in self.get("NetworkPolicy", daemon)["spec"]["ingress"]:
            if port in {each["port"] for each in rule["ports"]}:
                found |= {_peer(peer) for peer in rule["from"]} if "from" in rule else {"anyone"}
        return found

    @functools.cached_property
    def _shown(self) -> list[tuple[str, str]]:
        return [(_title(each), json.dumps(each.inputs)) for each in self.resources]

    def holders_of(self, text: str) -> set[str]:
        """Titles of all resources that show `text`, as it is or in any base64."""
        forms = (text, *_base64_forms(text))
        return {title for title, shown in self._shown if any(form in shown for form in forms)}


class Sentinels:
    """Stands for the stack's secrets: each key gives a text that occurs nowhere by accident."""

    def __init__(self) -> None:
        self.given: dict[str, str] = {}

    def __call__(self, key: str) -> pulumi.Output[str]:
        self.given[key] = f"Sentinel0{key}0Value"
        return pulumi.Output.secret(self.given[key])


def deploy(settings: Settings, *, preview: bool = False, before: Settings | None = None) -> Deployment:
    """The whole stack of `settings`, where that of `before` is deployed. In a `preview`, no output of any resource is known.

    Made once in a run of the tests, so read it and change nothing.
    """
    told = f"{preview} {settings.model_dump_json()} {before.model_dump_json() if before else ''}"
    asked = hashlib.sha256(told.encode()).hexdigest()
    return once(asked, lambda: _deploy(settings, preview=preview, before=before))


def _deploy(settings: Settings, *, preview: bool, before: Settings | None) -> Deployment:
    secret = Sentinels()
    deployed = [snapshot(before)] if before else []

    def program() -> None:
        cluster = kubernetes.Provider("cluster", context=settings.kubernetes.context)
        here = pulumi.ResourceOptions(providers=[cluster])
        Kolab(settings, secret, Guard.of(settings, deployed), here, deployed=deployed)

    return Deployment(tuple(record(program, preview=preview)), secret.given)


def way_in(settings: Settings) -> Deployment:
    """What leads clients to the stack of `settings`, without the daemons: Services, Ingress, certificates."""

    def program() -> None:
        secret = Sentinels()
        here = Site(namespace=MAIN, salt=secret("contentSalt"), guard=Guard.of(settings))
        parent = pulumi.ComponentResource("kolab:index:Kolab", "kolab")
        stack = Composition(settings=settings, secret=secret, site=here, parent=parent)
        certified = certificates(stack)
        expose(stack, certified)
        certified.start(after=())

    return Deployment(tuple(record(program)))


def recorded(program: Callable[[], object], *, preview: bool = False) -> Deployment:
    """What any piece of a program registers. Raises when an API server would refuse an object of it."""

    def run() -> None:
        program()

    deployment = Deployment(tuple(record(run, preview=preview)))
    if not preview:
        faults = deployment.faults()
        assert not faults, "\n".join(faults)
    return deployment


def site() -> Site:
    """A place for a component that runs alone. Call it inside the program: it registers the delete hook."""
    guard = Guard(protect=True, acknowledged=lambda rule, subject: False)
    return Site(namespace=MAIN, salt=pulumi.Output.secret(SALT), guard=guard)


def _peer(peer: Manifest) -> str:
    if "ipBlock" in peer:
        return str(peer["ipBlock"]["cidr"])
    if "podSelector" in peer:
        return str(peer["podSelector"]["matchLabels"]["app.kubernetes.io/name"])
    return f"namespace {peer['namespaceSelector']['matchLabels']['kubernetes.io/metadata.name']}"


def _template(manifest: Manifest) -> Manifest | None:
    spec = manifest.get("spec") or {}
    if manifest["kind"] == "CronJob":
        spec = spec["jobTemplate"]["spec"]
    found: Manifest | None = spec.get("template") if manifest["kind"] in _WORKLOADS else None
    return found


_WORKLOADS = ("Deployment", "StatefulSet", "DaemonSet", "Job", "CronJob")


def _file_below(mount: Manifest, path: str) -> str | None:
    """The key that `path` has in the volume of `mount`, if it lies there."""
    if mount.get("subPath"):
        return str(mount["subPath"]) if mount["mountPath"] == path else None
    folder = f"{mount['mountPath'].rstrip('/')}/"
    return path.removeprefix(folder) if path.startswith(folder) else None


def _base64_forms(text: str) -> Iterator[str]:
    """What base64 makes of `text` wherever it stands: the part that no neighbour changes."""
    for before in range(3):
        encoded = base64.b64encode(b"\0" * before + text.encode()).decode()
        skip = (0, 2, 3)[before]
        yield encoded[skip:].rstrip("=")[:-1]


def _title(resource: Registered) -> str:
    manifest = resource.object
    return f"{manifest['kind']}/{manifest['metadata']['name']}" if manifest else resource.urn


def _the_one(found: list[Any], what: str) -> Any:
    assert len(found) == 1, f"{what}: {len(found)} instead of one"
    return found[0]
