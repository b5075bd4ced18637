"""`./kolab dns adopt`: what stands in a zone comes under the stack, and nothing is changed by it."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from model.identity import parse, records, zone_file, zones
from model.identity.adoption import DNS, PROVIDER, Existing, adoption, import_file
from model.identity.logical import logical_name
from model.ledger import RECORD
from model.settings import Settings
from ops import adopt, cloudflare
from ops.stacks import StackProblem
from tests.identity.stacks import stack
from tests.ops.editing import Editor, editor
from tests.support.cloudflare_api import TOKEN, Api, serving
from tests.support.nameserver import serving as name_server

ZONE, ID = "example.org", "0" * 31 + "1"
OURS = stack(dns__zones={ZONE: ID}, dns__ptr=None, hostedDomains=[])


def row(number: int, kind: str, name: str, **more: Any) -> dict[str, Any]:
    return {"id": f"{number:032x}", "zoneId": ID, "type": kind, "name": name, "ttl": 300, **more}


ROWS = [
    row(1, "TXT", ZONE, content='"v=spf1 include:servers.mcsv.net -all"'),
    row(2, "TXT", ZONE, content="google-site-verification=abc"),
    row(3, "A", "imap.example.org", content="192.0.2.10", proxied=True),
    row(4, "A", "www.example.org", content="203.0.113.5", ttl=1),
    row(5, "MX", ZONE, content="mx.example.org", priority=10),
    row(6, "MX", ZONE, content="Mail.Old.Example", priority=20),
    row(7, "CAA", "imap.example.org", data={"flags": 0, "tag": "issue", "value": "other.example"}),
    row(
        8,
        "SRV",
        f"_imaps._tcp.{ZONE}",
        data={"priority": 0, "weight": 1, "port": 993, "target": "imap.example.org"},
    ),
    row(
        9,
        "HTTPS",
        "shop.example.org",
        content="1 . alpn=h2",
        data={"priority": 1, "target": ".", "value": "alpn=h2"},
    ),
    row(
        10,
        "TLSA",
        f"_25._tcp.mx.{ZONE}",
        data={"usage": 3, "selector": 1, "matching_type": 1, "certificate": "A" * 64},
    ),
]


def there(rows: list[dict[str, Any]] = ROWS) -> list[Existing]:
    with serving(lambda: rows) as api:
        return cloudflare.Api(TOKEN, api.base).records(ZONE, ID)


def compared(
    settings: Settings = OURS, rows: list[dict[str, Any]] = ROWS, owned: tuple[str, ...] = ()
) -> Any:
    return adoption(ZONE, zones(settings)[ZONE], there(rows), "mx.example.org", owned)


def test_records_are_read_as_a_zone_file_has_them() -> None:
    assert [f"{each.record.name} {each.record.type} {each.record.content}" for each in there()] == [
        'example.org TXT "v=spf1 include:servers.mcsv.net -all"',
        'example.org TXT "google-site-verification=abc"',
        "imap.example.org A 192.0.2.10",
        "www.example.org A 203.0.113.5",
        "example.org MX 10 mx.example.org.",
        "example.org MX 20 mail.old.example.",
        'imap.example.org CAA 0 issue "other.example"',
        "_imaps._tcp.example.org SRV 0 1 993 imap.example.org.",
        "shop.example.org HTTPS 1 . alpn=h2",
        f"_25._tcp.mx.example.org TLSA 3 1 1 {'a' * 64}",
    ]


def test_every_page_is_read_and_nothing_but_read() -> None:
    many = [row(n, "A", f"h{n}.example.org", content="203.0.113.5") for n in range(250)]
    with serving(lambda: many) as api:
        assert len(cloudflare.Api(TOKEN, api.base).records(ZONE, ID)) == 250
        assert len(api.asked) == 3
        assert api.methods == {"GET"}


def test_what_the_stack_would_make_is_taken_and_the_rest_is_left() -> None:
    found = compared()
    assert {(each.existing.id[-1], each.name) for each in found.taken} == {
        ("1", "txt-example.org-v-spf1"),
        ("3", next(logical_name(r) for r in records(OURS) if (r.name, r.type) == ("imap.example.org", "A"))),
        ("5", "mx-example.org"),
        ("8", "srv-_imaps._tcp.example.org"),
        ("a", next(logical_name(r) for r in records(OURS) if r.type == "TLSA" and "a" * 64 in r.content)),
    }
    assert {each.record.content for each in found.foreign} >= {
        '"google-site-verification=abc"',
        "203.0.113.5",
        "20 mail.old.example.",
        '0 issue "other.example"',
    }


def test_the_plan_says_what_the_next_update_changes_about_a_record() -> None:
    changes = {each.existing.id[-1]: each.changes for each in compared().taken}
    assert changes["3"] == ("ttl 300 -> 3600", "proxied -> not proxied")
    assert changes["1"][0].startswith('"v=spf1 include:servers.mcsv.net -all" -> "v=spf1 ip4:')
    assert changes["8"] == ("ttl 300 -> 3600",)


def test_of_two_of_a_kind_the_right_one_is_taken_and_otherwise_none() -> None:
    ours = next(r.content for r in records(OURS) if r.name == ZONE and "v=spf1" in r.content)
    rows = [ROWS[0], row(11, "TXT", ZONE, content='"v=spf1 mx -all"')]
    found = compared(rows=rows)
    assert (len(found.taken), [len(each) for each in found.doubled]) == (0, [2])
    right = compared(rows=[*rows, row(12, "TXT", ZONE, content=ours)])
    assert ([each.existing.id[-1] for each in right.taken], right.doubled) == (["c"], ())


def test_what_the_stack_has_already_is_not_adopted_again() -> None:
    assert "mx-example.org" not in {each.name for each in compared(owned=("mx-example.org",)).taken}


def test_the_file_names_what_the_program_will_register() -> None:
    content = import_file("mine", "kolab", [compared()], {ZONE: ID}, version="6.23.1")
    by_name = {each["name"]: each for each in content["resources"]}
    assert by_name["dns"] == {"type": DNS, "name": "dns", "component": True}
    assert (by_name["provider"]["type"], by_name["provider"]["logicalName"]) == (PROVIDER, "dns")
    assert by_name["dns-mx-example.org"] == {
        "type": RECORD,
        "name": "dns-mx-example.org",
        "id": f"{ID}/{5:032x}",
        "parent": "dns",
        "provider": "provider",
        "version": "6.23.1",
    }


def test_what_the_state_knows_is_referred_to_instead_of_declared() -> None:
    urns = (f"urn:pulumi:mine::kolab::{DNS}::dns", f"urn:pulumi:mine::kolab::{PROVIDER}::dns")
    content = import_file("mine", "kolab", [compared()], {ZONE: ID}, known=urns)
    assert content["nameTable"] == dict(zip(("dns", "provider"), urns, strict=True))
    assert {each["type"] for each in content["resources"]} == {RECORD}


# The command.


@pytest.fixture
def api() -> Iterator[Api]:
    with serving(lambda: ROWS) as found:
        yield found


@pytest.fixture
def there_is(monkeypatch: pytest.MonkeyPatch, api: Api) -> Editor:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", api.base)
    found = editor(
        monkeypatch, dns__provider="cloudflare", dns__zones={ZONE: ID}, dns__ptr=None, hostedDomains=[]
    )
    found.secrets["cloudflareApiToken"] = TOKEN
    return found


def run(path: Path, *servers: str) -> None:
    adopt.run(argparse.Namespace(stack="mine", to=path, server=list(servers)))


def test_the_command_writes_the_file_and_says_what_comes_next(
    there_is: Editor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(tmp_path / "new" / "adopt.json")
    shown = capsys.readouterr()
    assert "example.org: 5 to adopt" in shown.out
    assert "leave  www.example.org A 203.0.113.5" in shown.out
    assert f"./kolab pulumi import --file {tmp_path}/new/adopt.json --protect=false" in shown.err
    text = (tmp_path / "new" / "adopt.json").read_text()
    assert len(json.loads(text)["resources"]) == 7
    assert TOKEN not in text + shown.out + shown.err
    assert there_is.writes == 0


@pytest.mark.parametrize(
    ("token", "zone", "sentence"),
    [
        (None, ID, "kolab:cloudflareApiToken is missing"),
        ("x" * 40, ID, "10000: Authentication error. Fix: the zone id in kolab:dns.zones"),
        (TOKEN, "f" * 32, "9109: Unauthorized to access requested resource"),
    ],
    ids=["no token", "a wrong token", "another zone"],
)
def test_a_zone_that_cannot_be_read_is_one_sentence(
    there_is: Editor, tmp_path: Path, token: str | None, zone: str, sentence: str
) -> None:
    there_is.values["dns"]["zones"] = {ZONE: zone}
    there_is.secrets = {"cloudflareApiToken": token} if token else {}
    with pytest.raises(StackProblem, match=sentence) as refused:
        run(tmp_path / "adopt.json")
    assert "xxxx" not in str(refused.value)
    assert not (tmp_path / "adopt.json").exists()


def test_an_api_that_is_not_there_or_says_rubbish_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, there_is: Editor, tmp_path: Path
) -> None:
    monkeypatch.setenv("CLOUDFLARE_BASE_URL", "http://127.0.0.1:9/client/v4")
    with pytest.raises(StackProblem, match="the API of Cloudflare cannot be reached"):
        run(tmp_path / "adopt.json")


def test_several_of_a_kind_are_refused_before_anything_is_written(
    monkeypatch: pytest.MonkeyPatch, there_is: Editor, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with serving(lambda: [*ROWS, row(11, "TXT", ZONE, content="v=spf1 mx -all")]) as two:
        monkeypatch.setenv("CLOUDFLARE_BASE_URL", two.base)
        with pytest.raises(StackProblem, match="leave the right one there"):
            run(tmp_path / "adopt.json")
    assert "twice  example.org TXT" in capsys.readouterr().out
    assert not (tmp_path / "adopt.json").exists()


@pytest.mark.thorough
@pytest.mark.parametrize("whole", [True, False], ids=["by transfer", "name by name"])
def test_with_name_servers_of_ones_own_the_plan_is_what_a_push_would_do(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str], whole: bool
) -> None:
    editor(monkeypatch, dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[])
    ours = stack(dns__zones={ZONE: ""}, dns__ptr=None, hostedDomains=[])
    lines = [
        parse("example.org. 300 IN MX 10 mx.example.org."),
        parse('example.org. 300 IN TXT "v=spf1 mx -all"'),
        parse("www.example.org. 300 IN A 203.0.113.5"),
    ]
    with name_server(tmp_path, {ZONE: zone_file(ours, ZONE, lines)}, transfer=whole) as server:
        run(tmp_path / "adopt.json", server.given)
        before = server.rows(ZONE) if whole else set()
        run(tmp_path / "adopt.json", server.given)
        assert not whole or server.rows(ZONE) == before
    shown = capsys.readouterr()
    assert (
        "adopt  example.org MX 10 mx.example.org., and the next update changes ttl 300 -> 3600" in shown.out
    )
    assert ("leave  www.example.org A 203.0.113.5" in shown.out) is whole
    assert "./kolab dns push --dry-run" in shown.err
    assert not (tmp_path / "adopt.json").exists()
