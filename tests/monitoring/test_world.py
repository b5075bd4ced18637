"""What is asked all day about our own names: a real blackbox asks a real name server that has them right, or wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import identity
from model.identity.rdata import PTR, TXT
from model.identity.record import Record, parse
from model.monitoring import blackbox, prometheus, rules
from model.monitoring.world import DOMAINS, Question, questions, resolver
from model.settings import Settings
from tests.monitoring.checkers import settings
from tests.monitoring.exporter import exporting, numbers
from tests.support.nameserver import serving
from tests.support.stacks import stack

STACK = "cluster"
"""Live, with keys of every stage, MTA-STS, TLSA, and a domain whose zone belongs to somebody else."""
_HEAD = "$TTL 60\n@ IN SOA ns.test. hostmaster.test. 1 3600 600 86400 60\n@ IN NS ns.test.\n"

Change = Callable[[Record], Sequence[Record]]


def _kept(record: Record) -> Sequence[Record]:
    return (record,)


def _zones(change: Change, *more: str) -> dict[str, str]:
    records = dict.fromkeys(each for r in dict.fromkeys(identity.records(stack(STACK))) for each in change(r))
    lines = [*map(str, records), *more]
    tops = ("org", "net", "com", "arpa")
    return {
        top: _HEAD + "\n".join(line for line in lines if line.split()[0].endswith(f".{top}.")) + "\n"
        for top in tops
    }


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with exporting(tmp_path_factory.mktemp("blackbox"), blackbox.config(stack(STACK))) as url:
        yield url


def wrong(exporter: str, tmp_path: Path, change: Change = _kept, *more: str) -> list[Question]:
    """Questions that are not answered as the model has it."""
    with serving(tmp_path / "named", _zones(change, *more)) as server:
        found = {
            each: numbers(exporter, {"module": each.module, "target": server.given})
            for each in questions(stack(STACK))
        }
    assert all(each["probe_dns_query_succeeded"] == 1 for each in found.values())
    return [question for question, seen in found.items() if seen["probe_success"] == 0]


@pytest.mark.thorough
def test_names_as_the_stack_publishes_them_are_right(exporter: str, tmp_path: Path) -> None:
    assert wrong(exporter, tmp_path) == []


@pytest.mark.thorough
def test_a_key_that_is_cut_elsewhere_and_texts_of_others_are_no_fault(exporter: str, tmp_path: Path) -> None:
    def cut(record: Record) -> Sequence[Record]:
        if isinstance(record.value, TXT) and len(record.value.text) > 255:
            head, tail = record.value.text[:70], record.value.text[70:]
            middle, tail = tail[:250], tail[250:]
            line = f'{record.name}. 60 IN TXT "{head}" "{middle}" "{tail}"'
            return (parse(line),)
        return (record,)

    assert wrong(exporter, tmp_path, cut, 'example.org. 60 IN TXT "somebody-elses-verification=1"') == []


def _without(probe: str) -> Change:
    names = {(each.name, each.type) for each in questions(stack(STACK)) if each.probe == probe}
    return lambda record: () if (record.name, record.type) in names else (record,)


def _elsewhere(record: Record) -> Sequence[Record]:
    return (Record(record.name, PTR("static.provider.test"), 60) if record.type == "PTR" else record,)


def _weaker(record: Record) -> Sequence[Record]:
    policy = isinstance(record.value, TXT) and record.value.text.startswith("v=DMARC1; p=")
    return (Record(record.name, TXT("v=DMARC1; p=none"), 60) if policy else record,)


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("probe", "change", "more"),
    [
        ("ptr", _without("ptr"), ()),
        ("ptr", _elsewhere, ()),
        ("dkim", _without("dkim"), ()),
        ("records", _without("records"), ()),
        ("records", _weaker, ()),
        ("blocklist", _kept, ("11.100.51.198.zen.spamhaus.org. 60 IN A 127.0.0.4",)),
    ],
    ids=["no PTR", "another PTR", "no DKIM key", "no records", "a weaker DMARC policy", "listed"],
)
def test_what_is_wrong_is_noticed_by_its_own_question_and_by_no_other(
    exporter: str, tmp_path: Path, probe: str, change: Change, more: Sequence[str]
) -> None:
    found = wrong(exporter, tmp_path, change, *more)
    assert found
    assert {each.probe for each in found} == {probe}


@pytest.mark.thorough
def test_a_list_that_does_not_answer_this_resolver_accuses_nobody(exporter: str, tmp_path: Path) -> None:
    refused = "11.100.51.198.zen.spamhaus.org. 60 IN A 127.255.255.254"
    assert wrong(exporter, tmp_path, _kept, refused) == []


@pytest.mark.thorough
def test_silence_is_no_wrong_answer(exporter: str) -> None:
    question = questions(stack(STACK))[0]
    seen = numbers(exporter, {"module": question.module, "target": "127.0.0.1:1"})
    assert seen["probe_dns_query_succeeded"] == 0


def test_nothing_is_asked_before_a_domain_is_live() -> None:
    quiet = settings(mail={"mx": {"stage": "hold"}})
    assert questions(quiet) == ()
    assert not {each.name for each in rules.alerts(quiet)} & {"RecordsDiffer", "NamesUnanswered"}
    assert "names" not in _jobs(quiet)


def test_the_clusters_own_dns_is_asked_and_no_one_else() -> None:
    ours = stack(STACK)
    (targets,) = {tuple(row["targets"]) for row in _jobs(ours)["names"]["static_configs"]}
    assert targets == (resolver(ours),) == ("10.43.0.10:53",)


def test_prometheus_keeps_a_number_until_the_next_one() -> None:
    """It forgets after five minutes."""
    assert _jobs(stack(STACK))["names"]["scrape_interval"] == "2m"


def test_no_two_questions_share_a_series() -> None:
    rows = [row["labels"] for row in _jobs(stack(STACK))["names"]["static_configs"]]
    assert len({tuple(sorted(row.items())) for row in rows}) == len(rows) == len(questions(stack(STACK)))


@pytest.mark.thorough
def test_the_configuration_of_many_domains_fits_into_a_config_map() -> None:
    """Which holds 1 MiB."""
    many = settings(hostedDomains=[f"d{number}.example.net" for number in range(4 * DOMAINS)])
    assert len(blackbox.config(many)) < 512 * 1024
    assert len(prometheus.config(many)) < 512 * 1024


def _jobs(ours: Settings) -> dict[str, dict[str, Any]]:
    return {job["job_name"]: job for job in yaml.safe_load(prometheus.config(ours))["scrape_configs"]}
