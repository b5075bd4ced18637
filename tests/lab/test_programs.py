"""Which Kubernetes a lab runs."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.lab import __main__ as command
from tests.lab import paths, programs
from tests.lab.cluster import Lab
from tests.lab.errors import LabError
from tests.lab.machine import Mark
from tests.lab.programs import NEWEST, OLDEST, SUPPORTED, VARIABLE, Kubernetes
from tests.support.validate import KUBERNETES

_BOTH = pytest.mark.parametrize("kubernetes", [NEWEST, OLDEST], ids=["newest", "oldest"])
_EACH = pytest.mark.parametrize("kubernetes", SUPPORTED, ids=lambda each: each.minor)
_NEVER_BUILT = {"k8s.io/sample-cli-plugin", "k8s.io/sample-controller"}
"""Examples. Modules of Kubernetes ask for them, whatever their version."""
_SENTENCE = f"{VARIABLE}=1.32 is no Kubernetes of the lab: say newest or oldest"


@pytest.mark.parametrize(
    ("variables", "kubernetes"),
    [({}, NEWEST), ({VARIABLE: ""}, NEWEST), ({VARIABLE: "newest"}, NEWEST), ({VARIABLE: "oldest"}, OLDEST)],
)
def test_the_newest_runs_unless_the_oldest_is_asked_for(
    variables: dict[str, str], kubernetes: Kubernetes
) -> None:
    assert programs.kubernetes(variables) == kubernetes


def test_another_word_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(LabError, match=f"^{re.escape(_SENTENCE)}$"):
        programs.kubernetes({VARIABLE: "1.32"})


def test_the_command_says_so_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(programs, "require_packages", lambda: None)
    monkeypatch.setenv(VARIABLE, "1.32")
    assert command.main(["build"]) == 1
    said = capsys.readouterr()
    assert (said.out + said.err).count("\n") == 1
    assert _SENTENCE in said.out + said.err


def test_each_version_whose_schemas_judge_the_manifests_can_judge_them_itself() -> None:
    assert [each.minor for each in SUPPORTED] == [*KUBERNETES]
    assert (SUPPORTED[0], SUPPORTED[-1]) == (OLDEST, NEWEST)


@_EACH
def test_all_modules_of_a_version_are_pinned_to_it(kubernetes: Kubernetes) -> None:
    pins = (paths.SOURCES / "go" / "kubernetes" / kubernetes.pins).read_text()
    own = re.findall(r"^\tk8s\.io/kubernetes (\S+)", pins, re.MULTILINE)
    staging = dict(re.findall(r"=> (k8s\.io/\S+) (\S+)$", pins, re.MULTILINE))
    assert own == [kubernetes.version]
    built = {version for module, version in staging.items() if module not in _NEVER_BUILT}
    assert built == {kubernetes.version.replace("v1.", "v0.")}


@_BOTH
def test_the_programs_say_which_version_they_are(
    kubernetes: Kubernetes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv(VARIABLE, "oldest" if kubernetes == OLDEST else "newest")
    flags = programs.modules()["kubernetes"].ldflags
    assert f"gitVersion={kubernetes.version} " in flags
    assert f"gitMinor={kubernetes.version.split('.')[1]} " in flags


def test_each_version_has_a_place_of_its_own_that_the_others_pins_do_not_move(
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setattr(paths, "SOURCES", tmp_path)
    folder = tmp_path / "go" / "kubernetes"
    folder.mkdir(parents=True)
    for name in ("go.mod", "go.sum", "oldest.mod", "oldest.sum", "main.go"):
        (folder / name).write_text(name)

    def places() -> dict[str, Path]:
        found = {}
        for word in ("newest", "oldest"):
            monkeypatch.setenv(VARIABLE, word)
            found[word] = programs.program("kubelet")
        return found

    before = places()
    (folder / "oldest.sum").write_text("another")
    after = places()
    assert before["newest"] == after["newest"]
    assert len({*before.values(), *after.values()}) == 3


def test_the_operator_is_of_the_release_whose_kinds_judge_the_manifests() -> None:
    pinned = [
        re.findall(
            r"^(?:require |\t)github\.com/prometheus-operator/prometheus-operator (\S+)",
            (paths.SOURCES / "go" / module / "go.mod").read_text(),
            re.MULTILINE,
        )
        for module in ("prometheus-operator", "operator")
    ]
    assert len(pinned[0]) == 1
    assert pinned[0] == pinned[1]


def test_a_lab_of_another_version_is_left_alone(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(paths, "MARK", tmp_path / "mark.json")
    monkeypatch.setenv(VARIABLE, "oldest")
    Mark(str(paths.state()), Lab().settings.dump(), OLDEST.version, complete=True).write()
    assert Lab.running()
    monkeypatch.delenv(VARIABLE)
    with pytest.raises(LabError, match=rf"with Kubernetes {re.escape(OLDEST.version)} .*make lab-down"):
        Lab.running()
