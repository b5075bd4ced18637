"""`./kolab dns plan` and `./kolab dns move`."""

from __future__ import annotations

import argparse
import datetime
import json
import re
import shlex
from typing import Any

import pytest

from model.settings import Settings
from model.stack_file import StackFileError
from model.transition import snapshot
from ops import moving
from ops.__main__ import parser
from ops.stacks import StackProblem
from tests.ops.editing import Editor, editor

TODAY = datetime.date(2026, 11, 27)
OLD = [{"host": "mx.old.example", "preference": 10}]
CUSTOMERS = [f"customer{n:02}.example" for n in range(50)]


def own(stage: str) -> dict[str, Any]:
    return {"stage": stage, "otherMx": OLD}


@pytest.fixture
def fifty(monkeypatch: pytest.MonkeyPatch) -> Editor:
    """Fifty customers on their way; the eleventh was written down as live and is not deployed so."""
    stages = {
        name: own("live" if n < 11 else "shadow" if n < 20 else "hold") for n, name in enumerate(CUSTOMERS)
    }
    found = editor(
        monkeypatch,
        hostedDomains=CUSTOMERS,
        domains=stages,
        dns__zones=dict.fromkeys(("example.org", *CUSTOMERS), ""),
    )
    before = {**stages, CUSTOMERS[10]: own("shadow")}
    values = {key: value for key, value in found.values.items() if key != "passportPublicKey"}
    found.models = (snapshot(Settings.model_validate({**values, "domains": before})),)
    return found


def plan(capsys: pytest.CaptureFixture[str], *, as_json: bool = False) -> str:
    moving.plan(argparse.Namespace(stack="mine", json=as_json), TODAY)
    return capsys.readouterr().out


def move(*domains: str, to: str) -> None:
    moving.move(argparse.Namespace(stack="mine", domains=list(domains), to=to), TODAY)


def test_fifty_customers_are_one_page(fifty: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    lines = plan(capsys).splitlines()
    assert len(lines) <= 90
    assert max(map(len, lines)) <= 120
    assert sum(line.startswith("customer") for line in lines) == 50
    assert [line for line in lines if line.isupper() and line.isascii() and "  " not in line] == [
        "TODAY",
        "WHEN IT IS READY",
        "WAIT",
    ]


def test_each_customer_has_a_line_that_says_where_he_stands(
    fifty: Editor, capsys: pytest.CaptureFixture[str]
) -> None:
    shown = {
        line.split()[0]: re.split(r"\s{2,}", line) for line in plan(capsys).splitlines() if line[:1] == "c"
    }
    assert shown["customer00.example"][1:6] == ["live", "k1 (k2) (k3)", "enforce", "yes", "quarantine"]
    assert shown["customer10.example"][1] == "shadow -> live"
    assert shown["customer15.example"][1:] == ["shadow", "k1 (k2) (k3)", "-", "-", "quarantine", "live"]
    assert shown["customer30.example"][-1] == "shadow"


def test_every_command_of_the_page_can_be_pasted(fifty: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    commands = [line.strip() for line in plan(capsys).splitlines() if line.startswith("    ./kolab ")]
    assert len(commands) >= 4
    for command in commands:
        given = shlex.split(command)[1:]
        if given[0] != "pulumi":
            parser().parse_args(given)


def test_programs_get_all_of_it(fifty: Editor, capsys: pytest.CaptureFixture[str]) -> None:
    found = json.loads(plan(capsys, as_json=True))
    (live,) = [each for each in found["moves"] if each["what"] == "to live"]
    assert len(live["commands"]) == len(live["domains"]) == 9
    assert found["pending"] is True
    assert found["today"] == "2026-11-27"


def test_a_move_writes_the_stage_of_each_domain_and_nothing_else(fifty: Editor) -> None:
    before = {key: value for key, value in fifty.values["domains"].items() if key not in CUSTOMERS[30:32]}
    move(*CUSTOMERS[30:32], to="shadow")
    assert [fifty.values["domains"][name]["stage"] for name in CUSTOMERS[30:32]] == ["shadow", "shadow"]
    assert {key: fifty.values["domains"][key] for key in before} == before
    assert fifty.writes == 2


@pytest.mark.parametrize("name", ["stranger.example", "example.net"])
def test_a_domain_that_is_not_here_is_refused(fifty: Editor, name: str) -> None:
    with pytest.raises(StackProblem, match=f"{name} is no mail domain of this stack"):
        move(name, to="live")
    assert fifty.writes == 0


def test_a_step_back_that_loses_mail_is_refused_before_anything_is_written(fifty: Editor) -> None:
    with pytest.raises(StackProblem, match="mx-lost"):
        move(CUSTOMERS[0], to="hold")
    assert fifty.writes == 0


def test_a_stage_that_a_rule_forbids_is_refused_before_anything_is_written(fifty: Editor) -> None:
    del fifty.values["domains"][CUSTOMERS[40]]["otherMx"]
    with pytest.raises(StackFileError, match="shadow-alone"):
        move(CUSTOMERS[40], to="shadow")
    assert fifty.writes == 0


def test_a_domain_is_found_under_the_name_that_the_file_has(monkeypatch: pytest.MonkeyPatch) -> None:
    found = editor(monkeypatch, domains={"München.example": own("shadow")}, mail__mtaSts={"stage": "none"})
    move("münchen.EXAMPLE", to="live")
    assert {name: each["stage"] for name, each in found.values["domains"].items()} == {
        "München.example": "live"
    }
