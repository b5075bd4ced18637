"""What a rehearsal gives to an image, read from the very Job that an update would run (components/rehearsal.py).

There is no second definition: the stack is rendered as for `./kolab render`, with made-up secrets, and each container of a
rehearsal that runs the image is taken as it stands there, with its files, variables, user and rights. A name of a Service
leads to an address that nobody has.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from model import images
from model.settings import Settings
from ops import recorder, render
from ops.images import made_up

_NOWHERE = "127.0.0.9"
"""Loopback alone is there, and nobody listens."""
_DOMAIN = "cluster.local"
File = tuple[str, int, int, str]
"""Path, mode, group, text."""
Folder = tuple[str, int, int]
"""Path, mode, group."""


@dataclass(frozen=True, kw_only=True)
class Given:
    """One container of a rehearsal."""

    container: str
    command: tuple[str, ...]
    environment: Mapping[str, str] = field(repr=False)
    files: tuple[File, ...] = field(repr=False)
    folders: tuple[Folder, ...]
    user: int
    group: int
    groups: tuple[int, ...]
    capabilities: tuple[str, ...]
    escalation: bool


class Rehearsals:
    """What the rehearsals of a stack give. Rendered once, when it is first asked for."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._objects: list[dict[str, Any]] = []

    def of(self, image: str) -> list[Given]:
        """What is given to an image, by its name in kolab:images.digests: for each container that runs it."""
        if not self._objects:
            self._objects = list(recorder.objects(render.resources(self._settings, made_up.secret)))
        name = images.reference(self._settings.images, image)
        return [
            self._given(container, job)
            for job in self._kind("Job")
            for container in job["spec"]["template"]["spec"]["containers"]
            if container["image"] == name and _rehearses(container)
        ]

    def _kind(self, kind: str) -> Iterator[dict[str, Any]]:
        return (each for each in self._objects if each["kind"] == kind)

    def _given(self, container: dict[str, Any], job: dict[str, Any]) -> Given:
        pod, space = job["spec"]["template"]["spec"], job["metadata"]["namespace"]
        rights, common = container["securityContext"], pod.get("securityContext", {}).get("fsGroup")
        secrets, configs = self._contents("Secret", space), self._contents("ConfigMap", space)
        variables: dict[str, str] = {}
        for source in container.get("envFrom") or ():
            variables |= secrets.get(source["secretRef"]["name"], {})
        variables |= {each["name"]: each.get("value", "") for each in container.get("env") or ()}
        volumes = {each["name"]: each for each in pod.get("volumes") or ()}
        files, folders = list(_names(self._services(), space)), []
        for mount in container.get("volumeMounts") or ():
            volume, at, part = volumes[mount["name"]], mount["mountPath"], mount.get("subPath")
            group = 0 if common is None else common
            found = [*_files(volume, secrets, configs)]
            if "emptyDir" in volume:
                folders.append((at, 0o2777 if common is not None else 0o777, group))
            elif part:
                files += [(at, mode, group, text) for name, mode, text in found if name == part]
            else:
                folders.append((at, 0o755, group))
                files += [(f"{at}/{name}", mode, group, text) for name, mode, text in found]
        return Given(
            container=container["name"],
            command=(*container["command"], *(container.get("args") or ())),
            environment=variables,
            files=tuple(files),
            folders=tuple(folders),
            user=rights["runAsUser"],
            group=rights["runAsGroup"],
            groups=() if common is None else (common,),
            capabilities=tuple(rights["capabilities"].get("add") or ()),
            escalation=rights["allowPrivilegeEscalation"],
        )

    def _contents(self, kind: str, space: str) -> dict[str, dict[str, str]]:
        """Name -> what is in it, of the objects of a namespace."""
        return {
            each["metadata"]["name"]: each.get("stringData") or each.get("data") or {}
            for each in self._kind(kind)
            if each["metadata"].get("namespace") == space
        }

    def _services(self) -> list[tuple[str, str]]:
        return [(each["metadata"]["name"], each["metadata"]["namespace"]) for each in self._kind("Service")]


def _rehearses(container: Mapping[str, Any]) -> bool:
    return {"name": "KOLAB_TASK", "value": "rehearse"} in (container.get("env") or ())


def _files(
    volume: Mapping[str, Any], secrets: Mapping[str, dict[str, str]], configs: Mapping[str, dict[str, str]]
) -> Iterator[tuple[str, int, str]]:
    """Name, mode and text of each file of a volume."""
    if config := volume.get("configMap"):
        yield from _items(config, configs.get(config["name"]), config.get("defaultMode", 0o644))
    if secret := volume.get("secret"):
        there = secrets.get(secret["secretName"])
        yield from _items(secret, there, secret.get("defaultMode", 0o644))
    for source in (volume.get("projected") or {}).get("sources", ()):
        mode = volume["projected"].get("defaultMode", 0o644)
        for kind, known in (("configMap", configs), ("secret", secrets)):
            if part := source.get(kind):
                yield from _items(part, known.get(part["name"]), mode)


def _items(
    source: Mapping[str, Any], there: Mapping[str, str] | None, mode: int
) -> Iterator[tuple[str, int, str]]:
    """What a part of a volume shows. Of a Secret that others make, such as cert-manager, the keys that are asked for are made
    up, unless the pod starts without it, too."""
    items: Iterable[Mapping[str, str]] = source.get("items") or [
        {"key": key, "path": key} for key in there or {}
    ]
    pair = made_up.certificate() if {each["key"] for each in items} >= {"tls.crt", "tls.key"} else {}
    if there is None and source.get("optional"):
        return
    for each in items:
        text = pair.get(each["key"]) or (there or {}).get(each["key"], made_up.TEXT)
        yield each["path"], mode, text


def _names(services: Iterable[tuple[str, str]], space: str) -> Iterator[File]:
    """The names that a pod of namespace `space` knows, each with an address that nobody has."""
    lines = ["127.0.0.1 localhost", "::1 localhost"]
    for name, at in services:
        known = [
            f"{name}.{at}.svc.{_DOMAIN}",
            f"{name}.{at}.svc",
            f"{name}.{at}",
            *([name] if at == space else []),
        ]
        lines.append(f"{_NOWHERE} {' '.join(known)}")
    yield "/etc/hosts", 0o644, 0, "".join(f"{line}\n" for line in lines)
    search = " ".join((f"{space}.svc.{_DOMAIN}", f"svc.{_DOMAIN}", _DOMAIN))
    yield "/etc/resolv.conf", 0o644, 0, f"nameserver {_NOWHERE}\nsearch {search}\noptions ndots:5\n"
