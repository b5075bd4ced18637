"""The MX of a domain is published once the web application takes its mail."""

from __future__ import annotations

import argparse
import json
from typing import Any

import pytest

from model.settings import Settings
from model.transition import snapshot
from ops import deploy, kubectl, reliance, secrets
from ops.artisan import MARK
from ops.people import arrival
from ops.people.application import DOMAIN_READY
from ops.stacks import StackProblem
from tests.identity.stacks import stack
from tests.ops.cluster_of import CONTEXT, FakeCluster

NEW = "example.net"


def at(stage: str) -> Settings:
    return stack(hostedDomains=[NEW], domains={NEW: {"stage": stage}})


def cluster(monkeypatch: pytest.MonkeyPatch, said: str | StackProblem) -> FakeCluster:
    answer = said if isinstance(said, StackProblem) else f"{MARK}{json.dumps([0, said])}\n"
    fake = FakeCluster(CONTEXT, "kolab", {"exec deploy/webapp": answer})
    monkeypatch.setattr(kubectl.Kubectl, "of", lambda _: fake)
    return fake


def test_a_domain_that_the_application_takes_may_go_live(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = cluster(monkeypatch, f"1 example.org {DOMAIN_READY}\n2 {NEW} {DOMAIN_READY}\n")
    arrival.require(at("live"), [snapshot(at("hold"))])
    assert asked.said("exec")


@pytest.mark.parametrize(
    "said", ["1 example.org 50\n", f"1 example.org 50\n2 {NEW} 1\n"], ids=["unknown", "unconfirmed"]
)
def test_one_that_it_would_refuse_mail_for_is_named_with_the_way(
    monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    cluster(monkeypatch, said)
    with pytest.raises(StackProblem, match=f"nothing was changed.*{NEW}.*kolab domain add {NEW}"):
        arrival.require(at("live"), [snapshot(at("hold"))])


def test_an_update_that_did_not_end_leaves_the_question_open(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster(monkeypatch, "1 example.org 50\n")
    with pytest.raises(StackProblem, match=NEW):
        arrival.require(at("live"), [snapshot(at("hold")), snapshot(at("live"))])


def test_domains_that_took_mail_before_are_not_asked_about(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = cluster(monkeypatch, StackProblem("nobody may ask"))
    arrival.require(at("live"), [snapshot(at("live"))])
    arrival.require(at("hold"), [snapshot(at("hold"))])
    assert asked.calls == []


def test_a_new_stack_takes_mail_of_its_own_domain_first(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster(monkeypatch, StackProblem("there is no cluster"))
    arrival.require(stack(hostedDomains=[]), [])
    with pytest.raises(StackProblem, match=f"mail of {NEW} cannot be known: there is none yet"):
        arrival.require(at("live"), [])


def test_an_application_that_does_not_answer_stops_the_step(monkeypatch: pytest.MonkeyPatch) -> None:
    cluster(monkeypatch, StackProblem("kubectl exec failed: no pod"))
    with pytest.raises(StackProblem, match=r"does not answer \(kubectl exec failed"):
        arrival.require(at("live"), [snapshot(at("hold"))])


def test_a_stack_of_records_alone_says_that_it_has_nobody_to_ask(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster(monkeypatch, StackProblem("this stack runs in no cluster"))
    held, live = (each.model_copy(update={"scope": "dns"}) for each in (at("hold"), at("live")))
    arrival.require(live, [snapshot(held)])
    assert f"whether the web application knows {NEW} was not asked" in capsys.readouterr().out


@pytest.mark.parametrize(("command", "asked"), [("up", ["dns", "application"]), ("preview", ["dns"])])
def test_an_update_asks_the_name_servers_and_the_application_before_the_engine(
    monkeypatch: pytest.MonkeyPatch, command: str, asked: list[str]
) -> None:
    done: list[str] = []

    class State:
        def __init__(self, *_: Any) -> None: ...

        def deployed(self) -> tuple[()]:
            return ()

    class Stop(Exception): ...

    def engine(*_: Any) -> None:
        raise Stop

    monkeypatch.setattr(deploy, "StackFile", type("F", (), {"read": staticmethod(lambda _: None)}))
    found = at("live").model_copy(update={"example": False})
    monkeypatch.setattr(secrets, "known", lambda _: (found, ()))
    monkeypatch.setattr(deploy, "refuse_unknown_context", lambda _: None)
    monkeypatch.setattr(deploy, "ready", lambda _: None)
    monkeypatch.setattr(deploy, "Pulumi", State)
    monkeypatch.setattr(deploy, "first_look", lambda *_: None)
    monkeypatch.setattr(reliance, "ask", lambda *_: done.append("dns"))
    monkeypatch.setattr(arrival, "require", lambda *_: done.append("application"))
    monkeypatch.setattr(deploy, "engine", engine)
    with pytest.raises(Stop):
        deploy.run(argparse.Namespace(stack="mine", command=command, without_dns=False, arguments=[]))
    assert done == asked
