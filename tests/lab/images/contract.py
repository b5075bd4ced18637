"""contract.yaml as types, and as the rules that contract-check reads inside an image."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

import yaml

from model import images as references
from model.settings import ImagesRegistry
from tests.lab.errors import LabError

FILE = Path(__file__).parent / "contract.yaml"
LAB_TAG = "lab"
"""Kubernetes pulls `latest` again at each start whatever the node has, so the same images carry a second tag."""
B_TAG = "lab-b"
"""Images of generation B: those that differ from A, and the others under this name as well."""
B = "-b"
"""What the name of an image of generation B ends in, here and in recipes/."""

KINDS = {
    "env": "set, not empty, and like the pattern if there is one",
    "unset": "not set",
    "file": "a readable file",
    "contains": "a readable file with a line like the pattern",
    "folder": "a folder",
    "writable": "a folder that this user may write to",
    "persistent": "a mount of its own that is neither an emptyDir nor in memory",
    "user": "the numeric user",
    "capability": "in the bounding set (capability.h numbers)",
    "escalation": "no_new_privs is off",
}
"""Kind of a rule -> when it holds."""

CAPABILITIES = {
    "CHOWN": 0,
    "DAC_OVERRIDE": 1,
    "FOWNER": 3,
    "FSETID": 4,
    "KILL": 5,
    "SETGID": 6,
    "SETUID": 7,
    "NET_BIND_SERVICE": 10,
    "SYS_CHROOT": 18,
    "MKNOD": 27,
}
"""Linux: include/uapi/linux/capability.h"""


@dataclass(frozen=True)
class Need:
    """One condition of an image, and the sentence with which a container leaves that does not meet it."""

    kind: str
    subject: str
    sentence: str
    source: str
    pattern: str | None = None
    when: str | None = None
    wrong: str | None = None
    spoil: str | None = None
    set: Mapping[str, str] = field(default_factory=dict)

    def rule(self) -> str:
        """The line that contract-check reads."""
        subject = str(CAPABILITIES[self.subject]) if self.kind == "capability" else self.subject
        return "\t".join((self.when or "-", self.kind, subject, self.pattern or "-", self.sentence))


@dataclass(frozen=True)
class Sample:
    """A good start outside of Kubernetes, which `check` then spoils in every way that `needs` names."""

    env: Mapping[str, str] = field(default_factory=dict)
    files: Mapping[str, str] = field(default_factory=dict)
    volumes: Sequence[str] = ()
    uid: int | None = None
    gid: int = 0
    capabilities: Sequence[str] = ()
    escalation: bool = False
    command: Sequence[str] = ()
    together: Sequence[str] = ()
    ready: str = ""
    seconds: int = 60


@dataclass(frozen=True)
class Image:
    """One image: how it starts by itself, what it needs, how to try it."""

    name: str
    references: Sequence[str]
    inside: str
    user: str
    entrypoint: Sequence[str]
    command: Sequence[str]
    env: Mapping[str, str]
    ports: Sequence[str]
    stop_signal: str
    needs: Sequence[Need]
    sample: Sample
    base: str = ""
    """The image whose recipe this one's is laid over: generation A's, by its name."""
    tree: str = ""
    """The release of MariaDB on whose files it lies, in place of the base of all others (trees.py)."""
    programs: Sequence[str] = field(default=(), repr=False)
    """What tests/lab/programs.py builds for it; they lie in /usr/bin."""

    @property
    def rules(self) -> str:
        """The file /usr/share/lab/contract."""
        return "".join(f"{need.rule()}\n" for need in self.needs)


@cache
def images() -> Mapping[str, Image]:
    """All images of contract.yaml by name, of both generations. Raises LabError for a mistake in that file."""
    document = yaml.safe_load(FILE.read_text())
    entries, newer = document["images"], document["generationB"]
    found = {}
    for name, entry in entries.items():
        tags = [LAB_TAG, "latest"] + [B_TAG] * (name not in newer)
        found[name] = _image(name, entry, _references(name, tags))
    for name, changes in newer.items():
        if name not in entries:
            raise LabError(f"contract.yaml: generationB changes {name}, which is no image")
        more = {"needs": [*entries[name].get("needs", []), *changes.get("needs", [])]}
        more["env"] = entries[name].get("env", {}) | changes.get("env", {})
        sample = entries[name].get("sample", {})
        more["sample"] = sample | {"env": sample.get("env", {}) | changes.get("sample", {}).get("env", {})}
        found[name + B] = replace(
            _image(name, entries[name] | changes | more, _references(name, [B_TAG])), name=name + B, base=name
        )
    return found


def image(name: str) -> Image:
    """One image. Raises LabError that lists the known ones."""
    if name not in images():
        raise LabError(f"no image {name!r}; there are {', '.join(images())}")
    return images()[name]


def _image(name: str, entry: Mapping[str, Any], references: Sequence[str]) -> Image:
    needs = [_need(name, need) for need in entry.get("needs", [])]
    return Image(
        name=name,
        references=references,
        inside=entry["inside"],
        user=str(entry.get("user", "0")),
        entrypoint=entry.get("entrypoint", []),
        command=entry["command"],
        env={key: str(value) for key, value in entry.get("env", {}).items()},
        ports=[str(port) for port in entry.get("ports", [])],
        stop_signal=entry.get("stop_signal", "SIGTERM"),
        needs=needs,
        sample=Sample(**entry.get("sample", {})),
        tree=entry.get("tree", ""),
        programs=entry.get("programs", []),
    )


def _need(image_name: str, entry: Mapping[str, Any]) -> Need:
    kinds = [kind for kind in KINDS if kind in entry]
    if len(kinds) != 1 or not {"else", "source"} <= set(entry):
        raise LabError(f"contract.yaml: a need of {image_name} wants one kind, `else` and `source`: {entry}")
    kind = kinds[0]
    need = Need(
        kind=kind,
        subject=str(entry[kind]),
        sentence=" ".join(entry["else"].split()),
        source=entry["source"],
        pattern=entry.get("like"),
        when=entry.get("when"),
        wrong=entry.get("wrong"),
        spoil=entry.get("spoil"),
        set=entry.get("set", {}),
    )
    if kind == "capability" and need.subject not in CAPABILITIES:
        raise LabError(f"contract.yaml: {image_name}: no number is known for capability {need.subject}")
    return need


def _references(name: str, tags: Sequence[str]) -> list[str]:
    """The names under which pods ask for an image, as model/images renders them."""
    known = tags if name in references.KOLAB else ("latest",)
    return [references.reference(ImagesRegistry(tag=tag), name) for tag in known]
