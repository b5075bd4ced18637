"""From hold to live to an enforced policy: each step touches the records that it is about, policy before record."""

from __future__ import annotations

from pathlib import Path

import pytest

from model import identity
from model.identity import mta_sts
from model.identity.logical import logical_name
from model.identity.record import Record
from model.settings import Settings
from tests.engine.identity.conftest import Opened, Published, records_of
from tests.engine.program import Run
from tests.support import cloudflare

_POLICIES = {
    "txt-_mta-sts.example.org-v-STSv1",
    "txt-_mta-sts.example.net-v-STSv1",
    "txt-_mta-sts.example.com._hosted.example.org-v-STSv1",
}


def _created(names: set[str]) -> set[tuple[str, str]]:
    return {("create", name) for name in names}


def _updated(names: set[str]) -> set[tuple[str, str]]:
    return {("update", name) for name in names}


def _named(settings: Settings) -> dict[str, Record]:
    return {logical_name(each): each for records in identity.zones(settings).values() for each in records}


def test_going_live_adds_exactly_what_hold_kept_back_and_speaks_up_where_it_judged_nobody(
    opened: Opened,
) -> None:
    before, after = _named(opened.held), _named(identity.live(opened.held))
    added, said = after.keys() - before.keys(), {name for name in before if before[name] != after.get(name)}
    assert {"mx-example.org", "mx-example.net", "srv-_imaps._tcp.example.org"} <= added
    assert {"txt-example.org-v-spf1", "txt-_dmarc.example.org-v-DMARC1"} <= said
    assert records_of(opened.live) == _created(added) | _updated(said)


def test_testing_adds_the_record_of_each_domain_and_no_other(opened: Opened) -> None:
    assert records_of(opened.testing) == _created(_POLICIES)


@pytest.fixture(scope="module")
def enforced(opened: Opened, tmp_path_factory: pytest.TempPathFactory) -> tuple[Published, Run, Run]:
    """The step to enforce: the preview, and what was done."""
    program = opened.program.copy(tmp_path_factory.mktemp("enforced") / "program")
    program.change({"mail.mtaSts": {"stage": "enforce", "since": "2026-11-20"}})
    announced = program.preview()
    done = program.up()
    assert (announced.code, done.code) == (0, 0), announced.output + done.output
    return program, announced, done


def test_the_preview_of_enforce_shows_the_record_of_each_domain_and_no_other(
    enforced: tuple[Published, Run, Run],
) -> None:
    _, announced, done = enforced
    assert records_of(announced) == records_of(done) == _updated(_POLICIES)


@pytest.mark.parametrize("step", ["testing", "enforce"])
def test_the_new_policy_is_served_before_any_record_names_it(
    step: str, opened: Opened, enforced: tuple[Published, Run, Run]
) -> None:
    run = opened.testing if step == "testing" else enforced[2]
    done = run.operations
    records = [at for at, each in enumerate(done) if each.type == cloudflare.RECORD]
    served = [
        at
        for at, each in enumerate(done)
        if each.kind in ("ConfigMap", "Deployment")
        and each.name.startswith("proxy")
        and not each.action.startswith("delete")
    ]
    assert {done[at].kind for at in served} == {"ConfigMap", "Deployment"}
    assert max(served) < min(records)


def test_the_record_names_the_policy_that_the_proxy_serves(enforced: tuple[Published, Run, Run]) -> None:
    program, _, _ = enforced
    body = mta_sts.shared(program.settings())
    assert body is not None
    served = [text for path, text in program.files().items() if "configmap" in path and "proxy" in path]
    assert any("mode: enforce" in text for text in served)
    ids = {content for name, _, content in program.records() if name.startswith("_mta-sts.")}
    assert ids == {f'"{mta_sts.text(body)}"'}


def test_nothing_is_left_to_do_afterwards(enforced: tuple[Published, Run, Run], tmp_path: Path) -> None:
    program, _, _ = enforced
    again = program.copy(tmp_path / "program").preview("--expect-no-changes")
    assert again.code == 0, again.output
