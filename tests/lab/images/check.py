"""Is each image what contract.yaml says? Start it well, then spoil one thing after the other."""

from __future__ import annotations

import re
import sys
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from tests.lab.errors import LabError
from tests.lab.images import build, keys
from tests.lab.images.container import Machine, Start, machine
from tests.lab.images.contract import Image, Need, image

_CONFIGURATIONS = {
    "turn": "listening-port=3478\nrealm=example.org\nuse-auth-secret\nstatic-auth-secret=0123456789abcdef\ndenied-peer-ip=10.0.0.0-10.255.255.255\nlog-file=stdout\npidfile=/tmp/turnserver.pid\n",
    "prometheus": "global: {scrape_interval: 30s}\n",
    "alertmanager": "route: {receiver: nobody}\nreceivers: [{name: nobody}]\n",
    "blackbox": "modules: {tcp: {prober: tcp}}\n",
    "unbound": 'server:\ninterface: 127.0.0.1\nusername: ""\nchroot: ""\ndirectory: "/"\npidfile: ""\nuse-syslog: no\n',
    "vector": "sinks: {store: {uri: 'http://victorialogs:9428/insert/jsonline'}, metrics: {address: '0.0.0.0:9598'}}\n",
}
"""The smallest configurations with which a daemon starts."""

_EXIT = 78
_SECONDS = 20


@dataclass(frozen=True)
class Fault:
    """A start with one thing wrong."""

    name: str
    need: Need
    start: Start


def run(names: Sequence[str]) -> int:
    """Check the named images; the exit code says whether all of them keep their contract."""
    failed = 0
    for name in names:
        started = time.monotonic()
        problems = check(image(name))
        failed += bool(problems)
        verdict = "FAILED" if problems else "ok"
        print(
            f"{name:18} {verdict:7} {len(image(name).needs)} needs, {time.monotonic() - started:.1f} s",
            flush=True,
        )
        for problem in problems:
            print(f"  {problem}", flush=True)
    return 1 if failed else 0


def check(made: Image) -> list[str]:
    """What does not hold for an image, in sentences."""
    build.tars([made.name, *made.sample.together], say=lambda text: print(text, file=sys.stderr))
    problems = []
    with machine() as place:
        for fault in faults(made, place):
            if problem := refused(place, fault):
                problems.append(problem)
    try:
        with machine() as place:
            start_well(made, place)
    except LabError as error:
        problems.append(str(error))
    return problems


def start_well(made: Image, place: Machine) -> float:
    """Start an image as its sample says, with what it needs beside it; seconds until it is ready."""
    for name in made.sample.together:
        start_well(image(name), place)
    container = place.start(good(made, place))
    return container.wait_ready(made.sample.ready, made.sample.seconds)


def good(made: Image, place: Machine) -> Start:
    """The sample as a start."""
    sample = made.sample
    uid = int(made.user) if sample.uid is None else sample.uid
    mounts = {path: place.volume(f"{made.name}{path}", uid) for path in sample.volumes}
    for path, kind in sample.files.items():
        mounts[path] = _file(place.folder, kind)
    return Start(
        image=made,
        env=sample.env,
        mounts=mounts,
        uid=uid,
        gid=sample.gid,
        # A volume is opened to its user by an fsGroup.
        groups=[uid],
        capabilities=sample.capabilities,
        escalation=sample.escalation,
        command=sample.command,
    )


def refused(place: Machine, fault: Fault) -> str | None:
    """Why a spoilt start was not refused as it should be; None if it was."""
    container = place.start(fault.start)
    code = container.exited(_SECONDS)
    output = container.output
    container.remove()
    if code == _EXIT and f"contract: {fault.need.sentence}" in output:
        return None
    last = output.strip().splitlines()[-1:] or [""]
    return f"{fault.name}: expected exit {_EXIT} with {fault.need.sentence!r}, got {code} with {last[0]!r}"


def faults(made: Image, place: Machine) -> Iterator[Fault]:
    """Every way in which the sample can be spoilt."""
    start = good(made, place)
    if start.command[:1] and start.command[0].endswith("sh"):
        # A sample that prepares something first, in a shell: to be refused, that is not needed.
        start = replace(start, command=())
    for need in made.needs:
        for how, spoilt in _spoil(made, need, start, place):
            yield Fault(f"{made.name}: {need.kind} {need.subject} {how}", need, spoilt)


def _spoil(made: Image, need: Need, start: Start, place: Machine) -> Iterator[tuple[str, Start]]:
    start = replace(start, env={**start.env, **need.set})
    path = _expanded(need.subject, {**made.env, **start.env})
    match need.kind:
        case "env":
            yield "missing", replace(start, env={**start.env, need.subject: ""})
            if need.wrong is not None:
                yield "wrong", replace(start, env={**start.env, need.subject: need.wrong})
        case "unset":
            yield "wrong", replace(start, env={**start.env, need.subject: need.wrong or "x"})
        case "file":
            yield "missing", replace(start, mounts=_without(start, path))
        case "contains":
            yield (
                "absent",
                replace(
                    start, mounts={**start.mounts, path: _thinned(start.mounts[path], need.pattern or "")}
                ),
            )
        case "folder" | "writable" if need.spoil == "omit":
            yield "missing", replace(start, mounts=_without(start, path))
        case "folder":
            hidden = place.volume("empty")
            yield "hidden", replace(start, mounts={**start.mounts, str(Path(path).parent): hidden})
        case "writable":
            yield "closed", replace(start, mounts={**start.mounts, path: place.volume("closed")})
        case "persistent":
            yield "missing", replace(start, mounts=_without(start, path))
        case "user":
            yield "wrong", replace(start, uid=1234)
        case "capability":
            kept = [name for name in start.capabilities if name != need.subject]
            yield "missing", replace(start, capabilities=kept)
        case "escalation":
            yield "off", replace(start, escalation=False)


def _without(start: Start, path: str) -> dict[str, Path]:
    return {target: source for target, source in start.mounts.items() if target != path}


def _thinned(path: Path, pattern: str) -> Path:
    """A copy of the file without the lines that are like the pattern."""
    lines = [line for line in path.read_text().splitlines() if not re.search(pattern, line)]
    copy = path.with_name(f"{path.name}-thinned")
    copy.write_text("\n".join(lines) + "\n")
    copy.chmod(0o444)
    return copy


def _expanded(text: str, env: dict[str, str]) -> str:
    return re.sub(r"\$\{?(\w+)\}?", lambda found: env.get(found[1], ""), text)


def _file(folder: Path, kind: str) -> Path:
    path = folder / f"file-{kind}"
    if not path.exists():
        path.write_text(_content(kind))
        path.chmod(0o444)
    return path


@cache
def _content(kind: str) -> str:
    certificate, key = keys.certificate()
    return {"certificate": certificate, "key": key, "rsa-key": keys.rsa_key(), **_CONFIGURATIONS}[kind]
