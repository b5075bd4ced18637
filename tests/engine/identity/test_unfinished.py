"""What a step is judged against is what was applied, wherever the update before it broke off or was narrowed.

Each life cycle begins a step that the provider stops after so many changes. The step that relies on it is then judged
as if it had never begun and as if it were done; from what is whole it is judged alone.
"""

from __future__ import annotations

import copy
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.settings import Settings
from model.step import judge
from model.transition import snapshot
from tests.engine.identity.conftest import Published, refusals
from tests.engine.program import Run
from tests.identity import keys
from tests.support import cloudflare

Changes = dict[str, Any]
_KEYS = "mail.dkim.selectors"
_NEW_KEY = {"stage": "published", "since": "2026-11-26", "publicKey": keys.public("k202705")}
_LATER = {
    f"{_KEYS}.k202705.stage": "active",
    f"{_KEYS}.k202605.stage": "retired",
    f"{_KEYS}.k202605.since": "2026-11-26",
}


def _accepting(*rules: str) -> Changes:
    return {"acknowledge": [{"rule": rule, "reason": "meant, for this step"} for rule in rules]}


_CYCLES: dict[str, tuple[Changes, Changes]] = {
    "SPF sources": (
        {"network.announcedEgress": ["198.51.100.13"]},
        {"network.egress.nodes.worker2": ["198.51.100.13"], "network.announcedEgress": ["198.51.100.12"]},
    ),
    "DKIM": ({f"{_KEYS}.k202705": _NEW_KEY}, _LATER),
    "TLSA": ({"tlsa.next": "c" * 64}, {"tlsa.current": "c" * 64, "tlsa.next": "OLD"}),
    "TLSA that goes": (
        {"dns.dnssec": False, "tlsa": None, **_accepting("tlsa-removed")},
        {"dns.dnssec": True, "tlsa": {"current": "e" * 64}, "acknowledge": []},
    ),
    "MTA-STS": (
        {"mail.mtaSts": {"stage": "testing", "since": "2026-11-26", "maxAge": 1209600}},
        {"hosts.mx": "mx2.example.org"},
    ),
    "an address": (
        {r"network.public.10\.20\.0\.11": "192.0.2.98", **_accepting("address-moved")},
        {r"network.public.10\.20\.0\.11": "192.0.2.99", "acknowledge": []},
    ),
    "a host": (
        {
            "mail.mtaSts": {"stage": "testing", "since": "2026-11-26", "maxAge": 86400},
            "hosts.mx": "mx2.example.org",
            **_accepting("mx-moved", "mta-sts-mx-changed", "cached-world", "mta-sts-mx-held"),
        },
        {"hosts.mx": "mx3.example.org", "acknowledge": []},
    ),
    "DMARC": ({"mail.dmarc.policy": "none"}, {"mail.dmarc.policy": "reject"}),
    "a domain": (
        {"hostedDomains": ["example.net", "example.com", "shop.example.net"]},
        {"hostedDomains": ["example.net", "example.com"]},
    ),
}
"""A step, and the one that relies on it."""


@pytest.mark.parametrize("cycle", _CYCLES)
def test_a_step_is_judged_as_if_the_truth_were_known_wherever_the_one_before_broke_off(
    cycle: str, only_records: Published, tmp_path: Path
) -> None:
    first, second = _CYCLES[cycle]
    begun = _copy(only_records, tmp_path / "whole")
    old = begun.settings()
    _change(begun, first)
    meant = begun.settings()
    done = begun.up("--parallel", "1")
    assert done.code == 0, done.output
    changes = sum(each.type == cloudflare.RECORD for each in done.operations)
    assert changes
    _change(begun, _resolved(second, old))
    wanted = begun.settings()
    whole = _rules(meant, wanted, old)
    assert _judged(begun.preview()) == whole
    for stop in _places(changes):
        broken = _copy(only_records, tmp_path / f"stopped-{stop}")
        _change(broken, first)
        run = broken.up("--parallel", "1", env={cloudflare.STOP: str(stop)})
        assert run.code != 0
        assert "Traceback" not in run.output
        _change(broken, _resolved(second, old))
        assert _judged(broken.preview()) == _rules(old, wanted) | whole, f"stopped after {stop}"


@pytest.mark.parametrize("cycle", ["SPF sources", "DKIM"])
def test_an_update_that_was_finished_later_counts_as_done(cycle: str, records_alone: Published) -> None:
    first, second = _CYCLES[cycle]
    _change(records_alone, first)
    assert records_alone.up(env={cloudflare.STOP: "0"}).code != 0
    records_alone.step({})
    assert records_alone.preview("--expect-no-changes").code == 0
    _change(records_alone, second)
    assert _judged(records_alone.preview()) == set()


def test_an_update_that_was_taken_back_counts_no_more(records_alone: Published) -> None:
    old = records_alone.config()
    _change(records_alone, _CYCLES["SPF sources"][0])
    assert records_alone.up(env={cloudflare.STOP: "1"}).code != 0
    records_alone.write(old)
    records_alone.step({})
    _change(records_alone, _CYCLES["SPF sources"][1])
    assert "egress-unannounced" in refusals(records_alone.preview())


def test_an_update_narrowed_to_a_record_of_a_new_model_is_refused_and_counts_for_nothing(
    records_alone: Published,
) -> None:
    before = records_alone.records()
    _change(records_alone, _CYCLES["SPF sources"][0])
    narrowed = records_alone.up("--target", _urn(records_alone, "txt-example.org-v-spf1"))
    assert narrowed.code != 0
    assert "was not specified in --target list" in narrowed.output
    assert records_alone.records() == before
    # The engine writes what it did not touch in the wrong order then, and says how that is mended.
    records_alone.must("state", "repair", "--yes", "--stack", records_alone.stack)
    _change(records_alone, _CYCLES["SPF sources"][1])
    assert "egress-unannounced" in _judged(records_alone.preview())


@pytest.mark.parametrize(
    ("cycle", "record"),
    [
        ("DKIM", "txt-k202705._domainkey.example.org-v-DKIM1"),
        ("SPF sources", "txt-example.org-v-spf1"),
    ],
)
def test_a_record_that_an_update_left_out_is_not_taken_for_published(
    cycle: str, record: str, records_alone: Published
) -> None:
    first, second = _CYCLES[cycle]
    old = records_alone.settings()
    _change(records_alone, first)
    left_out = records_alone.up("--exclude", f"**::dns-{record}")
    assert left_out.code == 0, left_out.output
    _change(records_alone, second)
    assert _rules(old, records_alone.settings()) <= _judged(records_alone.preview())


def test_an_update_that_was_killed_counts_as_begun(records_alone: Published) -> None:
    old = records_alone.settings()
    _change(records_alone, _CYCLES["SPF sources"][0])
    slow = {cloudflare.DELAY: "2", "PULUMI_SKIP_CHECKPOINTS": "false"}
    process = records_alone.start("up", "--yes", "--skip-preview", "--parallel", "1", env=slow)
    end = time.monotonic() + 60
    while len(list(_entries(records_alone))) < 2 and time.monotonic() < end:
        time.sleep(0.1)
    os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    records_alone.must("cancel", "--yes", "--stack", records_alone.stack)
    _change(records_alone, _CYCLES["SPF sources"][1])
    assert _rules(old, records_alone.settings()) <= _judged(records_alone.preview())


def _copy(program: Published, root: Path) -> Published:
    return program.copy(root)


def _places(changes: int) -> list[int]:
    """After how many changes the provider stops: none, one, all but one; all of them with KOLAB_ALL_PREFIXES=1."""
    if os.environ.get("KOLAB_ALL_PREFIXES"):
        return list(range(changes))
    return sorted({0, 1, changes - 1} & set(range(changes)))


def _entries(program: Published) -> Iterator[str]:
    return (each["urn"] for each in program.state() if each["type"] == "pulumi:index:Stash")


def _urn(program: Published, name: str) -> str:
    return next(each["urn"] for each in program.state() if each["urn"].endswith(f"::dns-{name}"))


def _rules(before: Settings, after: Settings, earlier: Settings | None = None) -> set[str]:
    """Ids of the rules that refuse the step from one stack file to another, from the model alone."""
    deployed = snapshot(before, snapshot(earlier) if earlier else None)
    return {f.rule for f in judge(deployed, after).findings if f.severity == "error"}


def _judged(run: Run) -> set[str]:
    """Ids of what refuses; that the update before was not finished is said beside it."""
    return refusals(run) - {"update-unfinished"} if run.code else set()


def _resolved(changes: Changes, old: Settings) -> Changes:
    assert old.tlsa is not None
    return {key: old.tlsa.current if value == "OLD" else value for key, value in changes.items()}


def _change(program: Published, changes: Changes) -> None:
    """Like Program.change, for keys that hold dots: \\. in a path is one."""
    config = program.config()
    for path, value in copy.deepcopy(changes).items():
        *above, last = (key.replace("\0", ".") for key in f"kolab:{path}".replace("\\.", "\0").split("."))
        node = config
        for key in above:
            node = node.setdefault(key, {})
        if value is None:
            node.pop(last, None)
        else:
            node[last] = value
    program.write(config)
