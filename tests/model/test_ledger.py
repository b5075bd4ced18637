"""The ledger tells which models the world may have a part of, from what an update left in the state."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import HealthCheck, given
from hypothesis import settings as examples

from model.deployed import Deployed, UnreadableModel
from model.identity.logical import logical_name
from model.identity.shards import published
from model.ledger import ENTRY, RECORD, Entry, Resource, after, possible
from model.names import Names
from model.settings import Settings
from model.transition import snapshot
from tests.identity.stacks import stack
from tests.identity.strategies import settings as stacks
from tests.identity.test_mail_steps import through_engine

_CLOUDFLARE = {
    "dns__provider": "cloudflare",
    "dns__zones": {"example.org": "a" * 32, "example.net": "b" * 32},
}
OLD = stack(**_CLOUDFLARE)
NEW = stack(**_CLOUDFLARE, network__announcedEgress=["198.51.100.3", "2001:db8:1::3", "198.51.100.14"])
MORE = stack(**_CLOUDFLARE, hosts={"imap": "imap2.example.org"})
"""Other records, the same model."""


def entry(settings: Settings, *before: Deployed) -> Resource:
    made = Entry.of(settings, before)
    return Resource(ENTRY, made.name, {"output": through_engine(made.exported())})


def records(settings: Settings) -> list[Resource]:
    own = Names.of(settings).mx
    return [
        Resource(RECORD, f"dns-{logical_name(record, own)}", {})
        for found in published(settings).values()
        for record in found
    ]


def known(state: list[Resource], exported: dict[str, Any] | None = None) -> list[Deployed]:
    return list(possible(state, exported))


def test_before_the_first_update_nothing_is_there() -> None:
    assert known([]) == []


def test_a_whole_update_leaves_one_model() -> None:
    assert known([entry(NEW, snapshot(OLD)), *records(NEW)], snapshot(NEW).exported()) == [snapshot(NEW)]


def test_an_update_that_broke_off_leaves_both_models_the_latest_last() -> None:
    new = entry(NEW, snapshot(OLD))
    for state in ([entry(OLD), new], [new, entry(OLD)]):
        assert known([*state, *records(OLD)]) == [snapshot(OLD), snapshot(NEW)]


def test_a_record_that_was_left_out_leaves_the_model_before_it_possible() -> None:
    state = [entry(MORE, snapshot(NEW)), *records(MORE)[1:]]
    assert known(state) == [snapshot(NEW), snapshot(MORE)]


def test_a_record_that_was_not_deleted_leaves_the_model_before_it_possible() -> None:
    left = Resource(RECORD, "dns-tlsa-_25._tcp.mx.example.org-00000000", {})
    assert known([entry(MORE, snapshot(NEW)), *records(MORE), left]) == [snapshot(NEW), snapshot(MORE)]


def test_other_records_of_the_same_model_are_another_entry() -> None:
    assert snapshot(OLD) == snapshot(MORE)
    assert Entry.of(OLD, ()).name != Entry.of(MORE, ()).name


def test_what_came_before_does_not_make_another_entry() -> None:
    assert Entry.of(NEW, ()).name == Entry.of(NEW, (snapshot(OLD),)).name


def test_the_output_of_a_release_without_a_ledger_is_what_is_deployed() -> None:
    assert known([], snapshot(OLD).exported()) == [snapshot(OLD)]


def test_the_first_update_with_a_ledger_that_breaks_off_leaves_both_models() -> None:
    assert known([entry(NEW, snapshot(OLD)), *records(NEW)], snapshot(OLD).exported()) == [
        snapshot(OLD),
        snapshot(NEW),
    ]


def test_the_version_of_the_program_is_no_other_model() -> None:
    older = snapshot(NEW).exported() | {"version": "0.0.9"}
    assert len(known([entry(NEW), *records(NEW)], older)) == 1


def test_an_entry_of_a_later_schema_is_refused() -> None:
    made = entry(NEW)
    later = {"output": {**made.outputs["output"], "model": snapshot(NEW).exported() | {"schema": 99}}}
    with pytest.raises(UnreadableModel):
        possible([made._replace(outputs=later)], None)


@examples(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stacks(), stacks())
def test_an_update_that_is_run_again_makes_no_other_entry(first: Settings, second: Settings) -> None:
    begun = after(second, [snapshot(first)])
    assert after(second, [begun]) == begun
    assert after(second, [snapshot(first), begun]) == begun


@examples(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(stacks())
def test_an_entry_survives_the_engine(generated: Settings) -> None:
    assert snapshot(generated) in known([entry(generated)])
