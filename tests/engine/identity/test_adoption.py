"""Records that were there before come under the stack through an import, and the next update changes them in place."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from model.identity import zones
from model.identity.logical import logical_name
from model.identity.rdata import TXT
from model.names import Names
from tests.engine.identity.conftest import STACK, Published, config
from tests.engine.program import Run
from tests.engine.stacks import configured
from tests.support import cloudflare
from tests.support.cloudflare_api import serving

pytestmark = pytest.mark.engine


@dataclass(frozen=True)
class Adopted:
    """A stack of records before its first update, whose zone somebody else has filled."""

    program: Published
    said: str
    before: dict[str, dict[str, Any]]
    imported: Run
    up: Run
    ours: frozenset[str]
    """Logical names of what was taken."""


@pytest.fixture(scope="module")
def adopted(tmp_path_factory: pytest.TempPathFactory) -> Adopted:
    values = config(mx={"stage": "hold"}, mtaSts={"stage": "none"}) | {"scope": "dns"}
    values["dns"]["shard"] = {"index": 0, "count": 1}
    made, secrets = configured(tmp_path_factory.mktemp("adopted") / "program", STACK, values)
    program = Published(made.root, made.stack)
    settings = program.settings()
    zone = settings.domain
    own = Names.of(settings).mx
    identifier = settings.dns.zone_ids[zone]
    planned = {
        logical_name(r, own): r
        for r in zones(settings)[zone]
        if r.type in ("A", "TXT") and (r.name == zone or r.name.startswith("_dmarc"))
    }
    entered = [
        {
            "zoneId": identifier,
            "name": record.name,
            "type": record.type,
            # Theirs says something else.
            "content": '"v=DMARC1; p=reject"' if record.name.startswith("_dmarc") else record.content,
            "ttl": 300,
            "proxied": False,
        }
        for record in planned.values()
    ]
    foreign = {"zoneId": identifier, "name": f"www.{zone}", "type": "A", "content": "203.0.113.5", "ttl": 300}
    others = [
        foreign | {"zoneId": each, "name": f"www.{name}"}
        for name, each in settings.dns.zone_ids.items()
        if name != zone
    ]
    cloudflare.fill(program._world, [*entered, foreign | {"proxied": True}, *others])
    before = {each["id"]: each for each in cloudflare.rows(program._world)}
    target = program.root / "adopt.json"
    with serving(lambda: cloudflare.rows(program._world), secrets["cloudflareApiToken"]) as api:
        done = program._run(
            [".venv/bin/python", "-m", "ops", "dns", "adopt", "--stack", STACK, "--to", str(target)],
            None,
            {"CLOUDFLARE_BASE_URL": api.base},
        )
    assert done.returncode == 0, done.stdout + done.stderr
    assert {each["id"]: each for each in cloudflare.rows(program._world)} == before
    imported = program.engine(
        "import", "--yes", "--skip-preview", "--file", str(target), "--protect=false", "--generate-code=false",
        env={"CLOUDFLARE_API_TOKEN": secrets["cloudflareApiToken"]},
    )  # fmt: skip
    assert imported.code == 0, imported.output
    assert {each["id"]: each for each in cloudflare.rows(program._world)} == before
    up = program.up()
    assert up.code == 0, up.output
    return Adopted(program, done.stdout, before, imported, up, frozenset(planned))


def test_what_is_taken_is_imported_and_nothing_is_made_or_deleted(adopted: Adopted) -> None:
    done = {
        (o.action, o.name.removeprefix("dns-"))
        for o in adopted.imported.operations
        if o.type == cloudflare.RECORD
    }
    assert done == {("import", name) for name in adopted.ours}


def test_the_update_finds_them_under_its_own_names_and_changes_them_in_place(adopted: Adopted) -> None:
    for name in adopted.ours:
        assert adopted.up.done(f"dns-{name}") == ["update"], name


def test_the_records_are_the_same_ones_with_what_the_stack_says(adopted: Adopted) -> None:
    now = {each["id"]: each for each in cloudflare.rows(adopted.program._world)}
    assert adopted.before.keys() <= now.keys()
    dmarc = [each for each in now.values() if each["name"].startswith("_dmarc.") and each["type"] == "TXT"]
    at_domain = [each for each in dmarc if each["name"] == f"_dmarc.{adopted.program.settings().domain}"]
    assert len(at_domain) == 1
    assert at_domain[0]["content"] != str(TXT("v=DMARC1; p=reject"))


def test_what_is_somebody_elses_stays_as_it_was(adopted: Adopted) -> None:
    zone = adopted.program.settings().domain
    www = next(each for each in adopted.before.values() if each["name"] == f"www.{zone}")
    assert www in cloudflare.rows(adopted.program._world)
    assert f"leave  {www['name']} A 203.0.113.5" in adopted.said


def test_the_next_preview_changes_nothing(adopted: Adopted, tmp_path: Path) -> None:
    again = adopted.program.copy(tmp_path / "program").preview()
    assert again.code == 0, again.output
    assert again.operations == []
