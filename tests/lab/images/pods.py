"""Pods as our program renders them, started by runc: the images and components/ tried on each other without a cluster.

A small part of what a kubelet does: volumes with their modes and fsGroup, environment, security context, probes. All
pods share one network, in which every Service has the same address.
"""

from __future__ import annotations

import base64
import os
import secrets
import shlex
import subprocess
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from components.guard import Guard
from components.kolab import Kolab
from model.settings import Settings
from ops.recorder import objects, record
from tests.lab.errors import LabError
from tests.lab.images import keys
from tests.lab.images.container import Container, Machine, Start
from tests.lab.images.contract import Image, images

Object = Mapping[str, Any]
Spec = Mapping[str, Any]
"""A container of a pod, as the API has it."""


def rendered(settings: Settings, values: Mapping[str, str]) -> list[Object]:
    """What our program makes of `settings`, with these secrets."""
    import pulumi  # noqa: PLC0415 - half a second that the other commands need not wait for

    def program() -> None:
        Kolab(settings, lambda key: pulumi.Output.secret(values[key]), Guard.of(settings))

    return list(objects(record(program)))


def some_secrets() -> dict[str, str]:
    """A fresh value for every secret that the program may ask for."""

    class Values(dict[str, str]):
        def __missing__(self, key: str) -> str:
            self[key] = _secret(key)
            return self[key]

    return Values()


def _secret(key: str) -> str:
    if key.startswith("dkimKey-") or key == "passportPrivateKey":
        return keys.rsa_key()
    if key == "appKey":
        return f"base64:{base64.b64encode(secrets.token_bytes(32)).decode()}"
    if key.endswith("ClientId"):
        number = secrets.token_hex(16)
        return "-".join((number[:8], number[8:12], number[12:16], number[16:20], number[20:]))
    return secrets.token_hex(16)


@dataclass(frozen=True)
class Workload:
    """A Deployment, StatefulSet, Job or CronJob and what its pods refer to."""

    name: str
    pod: Object
    found: Mapping[tuple[str, str], Object]
    more: Mapping[str, str] = field(default_factory=dict)
    """Variables that every container gets besides."""

    def containers(self) -> Sequence[Spec]:
        """The container specs."""
        return self.pod["containers"]

    def environment(self, spec: Spec) -> dict[str, str]:
        """The variables that a container gets."""
        found: dict[str, str] = {}
        for source in spec.get("envFrom", []):
            found |= self.secret(source["secretRef"]["name"])
        for variable in spec.get("env", []):
            # Of fields of the pod only the node's name is used.
            found[variable["name"]] = variable.get("value", "node1" if "valueFrom" in variable else "")
        return found | dict(self.more)

    def secret(self, name: str) -> Mapping[str, str]:
        """The values of a Secret; cert-manager's are made up."""
        found = self.found.get(("Secret", name))
        if found is not None:
            return found.get("stringData", {})
        if name.endswith("-certificate"):
            certificate, key = keys.certificate()
            return {"tls.crt": certificate, "tls.key": key}
        raise LabError(f"{self.name} wants Secret {name}, which nothing makes")

    def volume(self, name: str) -> Object:
        """A volume by name; a claim template's has nothing but its name."""
        return next((v for v in self.pod.get("volumes", []) if v["name"] == name), {"name": name})

    def persists(self, name: str) -> bool:
        """Whether the volume outlives the pod."""
        volume = self.volume(name)
        return "persistentVolumeClaim" in volume or set(volume) == {"name"}


def workloads(all_objects: Iterable[Object]) -> dict[str, Workload]:
    """Every workload by name; Jobs lose the hash in theirs."""
    every = list(all_objects)
    found = {(thing["kind"], thing["metadata"]["name"]): thing for thing in every}
    made = {}
    for thing in every:
        spec = thing.get("spec", {})
        spec = spec.get("jobTemplate", {}).get("spec", spec)
        if isinstance(spec.get("template"), dict) and "spec" in spec["template"]:
            name = thing["metadata"]["name"]
            short = name.rpartition("-")[0] if thing["kind"] == "Job" else name
            made[short] = Workload(short, spec["template"]["spec"], found)
    return made


class Pod:
    """The running containers of a workload."""

    def __init__(self, machine: Machine, workload: Workload, ordinal: int = 0) -> None:
        self._machine, self._workload = machine, workload
        self._folder = machine.folder / "pods" / f"{workload.name}-{ordinal}-{secrets.token_hex(4)}"
        self.containers: dict[str, Container] = {}
        for spec in workload.pod.get("initContainers", []):
            first = self.containers[spec["name"]] = machine.start(self._start(spec))
            if first.exited(300) != 0:
                raise LabError(f"{workload.name}: {spec['name']} failed: {first.output[-600:]}")
        for spec in workload.containers():
            self.containers[spec["name"]] = machine.start(self._start(spec))

    def again(self) -> Pod:
        """The same pod in new containers, on the same volumes."""
        return Pod(self._machine, self._workload)

    def wait_ready(self, seconds: float = 120) -> float:
        """Seconds until every readiness probe succeeds."""
        waited = 0.0
        for spec in self._workload.containers():
            for kind in ("startupProbe", "readinessProbe", "livenessProbe"):
                if probe := spec.get(kind):
                    command = shlex.join(_probe(probe, spec))
                    waited += self.containers[spec["name"]].wait_ready(command, seconds)
        return waited

    def _start(self, spec: Spec) -> Start:
        context = spec.get("securityContext", {})
        groups = self._workload.pod.get("securityContext", {}).get("fsGroup")
        image = image_called(spec["image"])
        command = [*spec.get("command", image.entrypoint), *spec.get("args", [])]
        return Start(
            image=image,
            env=self._workload.environment(spec),
            mounts=dict(self._mounts(spec)),
            uid=context.get("runAsUser"),
            gid=context.get("runAsGroup", 0),
            groups=[groups] if groups else [],
            capabilities=context.get("capabilities", {}).get("add", []),
            escalation=context.get("allowPrivilegeEscalation", True),
            read_only=context.get("readOnlyRootFilesystem", False),
            command=command if spec.get("command") or spec.get("args") else [],
        )

    def _mounts(self, spec: Spec) -> Iterator[tuple[str, Path]]:
        for mount in spec.get("volumeMounts", []):
            source = self._source(mount["name"])
            if part := mount.get("subPath"):
                source = source / part
                if not source.exists():
                    source.mkdir(parents=True)
            yield mount["mountPath"], source

    def _source(self, name: str) -> Path:
        volume = self._workload.volume(name)
        group = self._workload.pod.get("securityContext", {}).get("fsGroup", 0)
        if "configMap" in volume:
            data = self._workload.found["ConfigMap", volume["configMap"]["name"]]["data"]
            return self._files(name, data, volume["configMap"].get("defaultMode", 0o644), group)
        if "secret" in volume:
            data = self._workload.secret(volume["secret"]["secretName"])
            return self._files(name, data, volume["secret"].get("defaultMode", 0o644), group)
        if {"emptyDir", "ephemeral"} & volume.keys():
            # An ephemeral volume is a claim of its own: for who looks at its path it is no emptyDir.
            kind = "kubernetes.io~empty-dir" if "emptyDir" in volume else "claims"
            folder = self._folder / kind / name
            folder.mkdir(parents=True, exist_ok=True)
            folder.chmod(0o777)
            return folder
        if "hostPath" in volume:
            # The machine's own folders are left alone.
            return self._machine.volume(volume["hostPath"]["path"])
        claim = volume.get("persistentVolumeClaim", {}).get("claimName", f"{self._workload.name}-{name}")
        return self._machine.volume(claim, group)

    def _files(self, name: str, data: Mapping[str, str], mode: int, group: int) -> Path:
        folder = self._folder / "files" / name
        folder.mkdir(parents=True, exist_ok=True)
        for file, text in data.items():
            path = folder / file
            path.write_text(text)
            os.chown(path, 0, group)
            # With an fsGroup the kubelet lets the group read.
            path.chmod(mode | 0o440 if group else mode)
        return folder


def image_called(reference: str) -> Image:
    """The image that a pod asks for by this name. Raises LabError when there is none."""
    for image in images().values():
        if reference in image.references:
            return image
    raise LabError(f"no lab image is called {reference}")


def _probe(probe: Object, spec: Spec) -> list[str]:
    ports = {port["name"]: port["containerPort"] for port in spec.get("ports", [])}

    def number(port: str | int) -> int:
        return ports[port] if isinstance(port, str) else port

    if "exec" in probe:
        return list(probe["exec"]["command"])
    if "tcpSocket" in probe:
        return ["/bin/bash", "-c", f"exec 3<>/dev/tcp/127.0.0.1/{number(probe['tcpSocket']['port'])}"]
    get = probe["httpGet"]
    headers = [f"-H{header['name']}: {header['value']}" for header in get.get("httpHeaders", [])]
    url = f"http://127.0.0.1:{number(get['port'])}{get['path']}"
    return ["curl", "-fsS", "-o", "/dev/null", *headers, url]


def inside(
    machine: Machine, *command: str, text: str = "", seconds: float = 60
) -> subprocess.CompletedProcess[str]:
    """A program of this machine in the network of the containers."""
    return subprocess.run(
        ["nsenter", f"--net=/run/netns/{machine.network}", *command],
        input=text,
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
    )
