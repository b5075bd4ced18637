"""`./kolab cluster check` where something is wrong with the question: one sentence, and nothing asked of the wrong cluster."""

from __future__ import annotations

from pathlib import Path

import pytest

from ops.__main__ import main
from tests.clusters.recorded import answers, read
from tests.support.api_server import api_server, asked


def test_a_context_that_the_kubeconfig_does_not_have(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with api_server({}, tmp_path, monkeypatch, context="prod"):
        assert main(["cluster", "check", "--context", "prd"]) == 1
    assert "its contexts: prod" in capsys.readouterr().err
    assert asked() == []


def test_a_cluster_that_tells_this_account_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    crds = "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"
    with api_server({crds: 401}, tmp_path, monkeypatch):
        assert main(["cluster", "check"]) == 1
    assert "401" in capsys.readouterr().err


def test_what_may_not_be_read_is_unknown_and_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = answers(read("k3s-made-ready")["seen"])
    with api_server({**given, "/apis/storage.k8s.io/v1/storageclasses": 403}, tmp_path, monkeypatch):
        assert main(["cluster", "check"]) == 0
    shown = capsys.readouterr()
    assert "unknown" in next(line for line in shown.out.splitlines() if line.startswith("storage classes"))
    assert "storage classes were not looked at: the cluster answered 403" in shown.err


@pytest.mark.parametrize(
    "arguments", [["--stack", "local"], ["--stack", "cluster", "--context", "elsewhere"]]
)
def test_a_stack_is_judged_in_its_own_cluster_alone(
    arguments: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    with api_server({}, tmp_path, monkeypatch):
        assert main(["cluster", "check", *arguments]) == 1
    assert len(capsys.readouterr().err.splitlines()) == 1
    assert asked() == []


def test_a_stack_is_judged_with_its_own_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    given = answers(read("talos-cilium")["seen"])
    with api_server(given, tmp_path, monkeypatch, context="prod"):
        assert main(["cluster", "check", "--stack", "cluster"]) == 1
    assert "[cni-cilium]" in capsys.readouterr().out
