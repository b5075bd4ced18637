"""What a run has proven, for people (report.md) and for programs (report.json), in reports/acceptance/."""

from __future__ import annotations

import json
import os
import subprocess
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.engine.program import CHECKOUT
from tests.lab import programs
from tests.lab.images import images
from toolchain import versions

FOLDER_VARIABLE = "KOLAB_ACCEPTANCE_REPORT"
"""Variable with another folder for the report."""
FOLDER = Path(os.environ.get(FOLDER_VARIABLE) or CHECKOUT / "reports" / "acceptance")
_PROOF, _FIGURES = "proof", "figures"
UNPROVEN = "UNPROVEN"
"""Begins the reason of a test that was skipped because nothing on this cluster could have broken its promise."""


@dataclass(frozen=True)
class Proof:
    """One promise, on one stack."""

    promise: str
    test: str
    mode: str
    outcome: str
    seconds: float
    daemons: tuple[str, ...]
    """Images whose behaviour the promise rests on."""
    why: str = ""
    """Of what was not proven: the first line of the reason."""

    @property
    def stand_ins(self) -> tuple[str, ...]:
        """Those of the daemons that are not the real ones."""
        return tuple(name for name in self.daemons if not _inside()[name].startswith("real"))

    @property
    def ground(self) -> str:
        """Whose behaviour it was."""
        if not self.daemons:
            return "cluster"
        return "stand-ins" if self.stand_ins else "real daemons"


@dataclass(eq=False)  # pytest keeps its plugins in sets
class Report:
    """Collects proofs and figures; a pytest plugin.

    Where several processes share the work, each reports to the one that writes the files, with its tests' results.
    """

    proofs: list[Proof] = field(default_factory=list)
    figures: dict[str, float] = field(default_factory=dict)
    _untold: dict[str, float] = field(default_factory=dict)

    cluster: dict[str, str] = field(default_factory=dict)
    """Versions of a cluster that was given; of the lab they are known."""

    def about(self, kubernetes: str, tag: str) -> None:
        """The run is about a cluster that was given."""
        self.cluster = {"Kubernetes (a cluster that was given)": kubernetes, "images' tag": tag}

    def versions(self) -> dict[str, str]:
        """Of all that took part."""
        return {**self.cluster, "pulumi": versions.PULUMI} if self.cluster else _versions()

    def note(self, what: str, figure: float) -> None:
        """A figure of this run: seconds, unless `what` says otherwise."""
        self.figures[what] = self._untold[what] = round(figure, 1)

    @contextmanager
    def timed(self, what: str) -> Iterator[None]:
        """Notes how long the block took."""
        began = time.monotonic()
        yield
        self.note(what, time.monotonic() - began)

    @pytest.hookimpl(hookwrapper=True)
    def pytest_runtest_makereport(self, item: pytest.Item, call: pytest.CallInfo[None]) -> Iterator[None]:
        """A test's call is its proof; so is a set-up that failed or was skipped. What is shown by mistakes is none."""
        result: pytest.TestReport = (yield).get_result()  # type: ignore[attr-defined]
        proves = item.get_closest_marker("acceptance") and not item.get_closest_marker("mutants")
        if proves and (result.when == "call" or not result.passed):
            result.user_properties.append((_PROOF, asdict(_proof(item, result))))
        result.user_properties.append((_FIGURES, self._untold))
        self._untold = {}

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """What a test has proven, in this process or another."""
        told: dict[str, Any] = dict(report.user_properties)
        if proof := told.get(_PROOF):
            self.proofs.append(Proof(**proof))
        self.figures |= told.get(_FIGURES, {})

    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Writes both files, also after an interrupt: what was proven until then is proven."""
        if self.proofs and not hasattr(session.config, "workerinput"):
            FOLDER.mkdir(parents=True, exist_ok=True)
            (FOLDER / "report.json").write_text(json.dumps(self.data(), indent=2) + "\n")
            (FOLDER / "report.md").write_text(self.markdown())

    def pytest_terminal_summary(self, terminalreporter: Any) -> None:
        """Where to read it."""
        if self.proofs:
            terminalreporter.write_line(f"what was proven: {FOLDER}/report.md")

    def data(self) -> dict[str, Any]:
        """All of it."""
        return {
            "commit": _commit(),
            "versions": self.versions(),
            "figures": self.figures,
            "proofs": [asdict(proof) | {"ground": proof.ground} for proof in self.proofs],
        }

    def markdown(self) -> str:
        """All of it, to be read."""
        lines = ["# What this run has proven", "", f"Commit {_commit()}.", ""]
        lines += _table(("figure", "seconds"), [(what, f"{value:g}") for what, value in self.figures.items()])
        for title, ground in (
            ("By real daemons", "real daemons"),
            ("By the cluster itself", "cluster"),
            (
                "With stand-ins in the way: the wiring is proven, the stand-in's own behaviour is not",
                "stand-ins",
            ),
        ):
            proven = [proof for proof in self.proofs if proof.outcome == "passed" and proof.ground == ground]
            lines += [f"## {title}", "", *_proven(proven)]
        rest = [proof for proof in self.proofs if proof.outcome != "passed"]
        lines += ["## Not proven", ""]
        lines += _table(
            ("promise", "stack", "outcome", "why"),
            [(proof.promise, proof.mode, proof.outcome, proof.why) for proof in rest],
        )
        lines += ["## Versions", "", *_table(("what", "version"), list(self.versions().items()))]
        return "\n".join(lines).rstrip() + "\n"


def _proof(item: pytest.Item, result: pytest.TestReport) -> Proof:
    marker = item.get_closest_marker("proves")
    name, _, parameters = item.name.partition("[")
    others = [part for part in parameters.rstrip("]").split("-") if part]
    mode = item.callspec.params.get("stack", "") if hasattr(item, "callspec") else ""
    detail = "-".join(others).replace(mode, "").strip("-")
    promise = name.removeprefix("test_").replace("_", " ")
    why = "" if result.passed else _reason(result)
    return Proof(
        promise=f"{promise} ({detail})" if detail else promise,
        test=item.nodeid,
        mode=mode,
        outcome="unproven" if UNPROVEN in why else result.outcome,
        seconds=round(result.duration, 1),
        daemons=tuple(marker.args) if marker else (),
        why=why,
    )


def _reason(result: pytest.TestReport) -> str:
    if isinstance(result.longrepr, tuple):
        return str(result.longrepr[2]).removeprefix("Skipped: ")
    lines = [line[1:].strip() for line in str(result.longrepr).splitlines() if line.startswith("E ")]
    return lines[0] if lines else "see pytest's output"


def _proven(proofs: Sequence[Proof]) -> list[str]:
    rows = [(p.promise, p.mode, ", ".join(p.daemons), f"{p.seconds:g}") for p in proofs]
    return _table(("promise", "stack", "daemons", "seconds"), rows)


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> list[str]:
    if not rows:
        return ["None.", ""]
    lines = [head, ["---"] * len(head), *rows]
    return [*(f"| {' | '.join(cell.replace('|', '/') for cell in line)} |" for line in lines), ""]


def _inside() -> dict[str, str]:
    return {name: image.inside for name, image in images().items()}


def _versions() -> dict[str, str]:
    return {
        "Kubernetes": programs.kubernetes().version,
        "MetalLB": programs.METALLB,
        "CoreDNS": programs.COREDNS,
        "pulumi": versions.PULUMI,
        **_inside(),
    }


def _commit() -> str:
    """The commit, and whether anything was changed since."""
    command = ["git", "-C", str(CHECKOUT), "describe", "--always", "--dirty"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"
