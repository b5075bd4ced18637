"""README's first real deployment is followed, word for word, and what it asks leads to a preview."""

from __future__ import annotations

import resource
from dataclasses import replace
from pathlib import Path

import pytest

from model.identity import file_name
from tests.engine.program import CHECKOUT
from tests.replay.machine import Machine
from tests.replay.steps import Command, parse
from tests.support.nameserver import serving

pytestmark = pytest.mark.engine

_ALERTS = "--alerts https://alerts.example/kolab"
_FIRST_DEPLOYMENT = {
    "one VPS": f"{_ALERTS} --domain kolabtest.eu --addresses 11.0.0.1",
    "two nodes behind NAT": f"{_ALERTS} --domain kolabtest.eu --mode cluster --public 11.0.0.1 --egress n1=11.0.0.1,n2=11.0.0.1"
    " --addresses proxy=10.20.0.10,smtp=10.20.0.11,turn=10.20.0.12,sieve=10.20.0.13,meet=10.20.0.14",
}
"""Whom README is for -> their answers to its questions, as options: nobody is at this terminal."""


@pytest.mark.parametrize("who", _FIRST_DEPLOYMENT)
def test_the_first_real_deployment_of_the_readme_is_followed(who: str, tmp_path: Path) -> None:
    section = (
        (CHECKOUT / "README.md").read_text().partition("## First real deployment")[2].partition("\n## ")[0]
    )
    asks = "./kolab dkim activate"
    page = parse(section)
    at = next(n for n, step in enumerate(page) if isinstance(step, Command) and step.text.startswith(asks))
    machine = Machine.make(tmp_path / "machine", beside={"./kolab new": _FIRST_DEPLOYMENT[who]})
    machine.variables |= {"PULUMI_BACKEND_URL": f"file://{tmp_path}", "PULUMI_CONFIG_PASSPHRASE": "replayed"}
    machine.play(page[:at])
    zones = {"kolabtest.eu": (machine.root / "rendered/mine/zones" / file_name("kolabtest.eu")).read_text()}
    with serving(tmp_path / "named", zones) as server:
        # The world's name servers are this one.
        replace(machine, beside={asks: f"--server {server.given}"}).play(page[at:])


def test_some_answers_lead_to_a_preview_within_a_minute(tmp_path: Path) -> None:
    machine = Machine.make(tmp_path / "machine")
    machine.variables |= {"PULUMI_BACKEND_URL": f"file://{tmp_path}", "PULUMI_CONFIG_PASSPHRASE": "replayed"}
    before = _seconds()
    machine.take(Command(0, f"./kolab new mine {_FIRST_DEPLOYMENT['one VPS']}"))
    machine.take(Command(0, "./kolab preview --stack mine", prints=("+ … to create",)))
    # Of computing: what else the machine does is not counted, nor is what it waits for (tests/ops/test_new.py).
    assert _seconds() - before < 60


def _seconds() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
