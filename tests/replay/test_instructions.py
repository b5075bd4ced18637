"""Every how-to is followed: the commands of each page, in its order, with what they print and what is refused."""

from __future__ import annotations

import os
from dataclasses import replace
from fnmatch import fnmatch
from pathlib import Path
from typing import Any

import pytest
import yaml

from model.identity import file_name
from tests.engine.identity.conftest import config
from tests.engine.program import CHECKOUT
from tests.engine.stacks import example
from tests.replay.machine import Machine
from tests.replay.mentions import tracked
from tests.replay.steps import Command, Step, parse
from tests.support import cloudflare
from tests.support.nameserver import serving

pytestmark = pytest.mark.engine


_RECORDS = ("move-an-address", "turn-on-mta-sts", "tighten-dmarc")
_ASKING = {"rotate-dkim-keys": "./kolab dkim activate", "roll-over-dane-keys": "./kolab tlsa switch"}
"""Page -> its command that asks the name servers."""
_WHOLE = ("your-first-day", "remove-a-stack")
_ELSEWHERE = {"review-in-pull-requests", "ask-the-doctor", "check-a-cluster"}
"""The first compares commits and runs policies: tests/review and tests/policy follow it. The second looks at a world, which
tests/ops/test_doctor.py makes, the third at a cluster, of which tests/clusters has ten."""
_FOLLOWED = {*_RECORDS, *_WHOLE, *_ASKING, "choose-a-state-backend"}


def steps(page: str) -> list[Step]:
    """The steps of a page of docs/how-to."""
    return parse((CHECKOUT / "docs" / "how-to" / f"{page}.md").read_text())


def machine_with(root: Path, values: dict[str, Any], *, at_last: str = "make up STACK=mine") -> Machine:
    """A machine whose operator has deployed the stack `mine`; records go to the stand-in for Cloudflare.

    Its file has these keys, as a copy of an example has, and `at_last` is what they do when it has its secrets.
    """
    plugins = cloudflare.install(root / "plugins")
    made = Machine.make(root / "machine")
    made.variables |= {
        "PATH": f"{plugins}:{os.environ['PATH']}",
        cloudflare.WORLD: str(made.root / ".local" / "cloudflare.json"),
        "PULUMI_CONFIG_PASSPHRASE": "replayed",
    }
    (made.root / ".local").mkdir()
    file = made.root / "stacks" / "Pulumi.mine.yaml"
    file.write_text(yaml.safe_dump({"config": {f"kolab:{key}": value for key, value in values.items()}}))
    needs_token = values["dns"]["provider"] == "cloudflare"
    token = "0123456789abcdef0123456789abcdef01234567"
    for text in (
        "./kolab pulumi login file://~",
        "./kolab pulumi stack init mine",
        f"echo {token} | ./kolab pulumi config set --secret --stack mine kolab:cloudflareApiToken",
        "./kolab secrets --stack mine",
        at_last,
    ):
        if "cloudflare" in text and not needs_token:
            continue
        made.take(Command(0, text))
    return made


def copy(machine: Machine, root: Path) -> Machine:
    """A copy with a world of its own."""
    made = machine.copy(root / "machine")
    made.variables[cloudflare.WORLD] = str(made.root / ".local" / "cloudflare.json")
    return made


@pytest.fixture(scope="session")
def published(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The records of the example of cluster mode: quick, and judged like the whole stack."""
    values = config(mtaSts={"stage": "none"}) | {"scope": "dns"}
    values["dns"]["shard"] = {"index": 0, "count": 1}
    del values["mail"]["dkim"]["selectors"]["k202611"]
    del values["tlsa"]
    return machine_with(tmp_path_factory.mktemp("published"), values)


@pytest.fixture(scope="session")
def deployed(tmp_path_factory: pytest.TempPathFactory) -> Machine:
    """The whole stack of the single-node example, rendered to files."""
    values = example("Pulumi.single-node")
    values["kubernetes"]["render"] = "rendered/mine/manifests"
    return machine_with(tmp_path_factory.mktemp("deployed"), values)


@pytest.mark.parametrize("page", _WHOLE)
def test_a_page_about_a_whole_stack_is_followed(page: str, deployed: Machine, tmp_path: Path) -> None:
    copy(deployed, tmp_path).play(steps(page))


def test_every_page_with_commands_is_followed() -> None:
    pages = {path.stem for path in (CHECKOUT / "docs" / "how-to").glob("*.md")}
    runs = {page for page in pages if any(isinstance(s, Command) and s.where == "here" for s in steps(page))}
    assert runs - _ELSEWHERE == _FOLLOWED


def test_a_state_backend_is_chosen(tmp_path: Path) -> None:
    Machine.make(tmp_path / "machine").play(steps("choose-a-state-backend"))


@pytest.mark.parametrize("page", _RECORDS)
def test_a_page_about_records_is_followed(page: str, published: Machine, tmp_path: Path) -> None:
    copy(published, tmp_path).play(steps(page))


@pytest.mark.parametrize("name", _ASKING)
def test_a_page_whose_commands_ask_the_name_servers_is_followed(
    name: str, published: Machine, tmp_path: Path
) -> None:
    machine, page, asks = copy(published, tmp_path), steps(name), _ASKING[name]
    at = next(n for n, step in enumerate(page) if isinstance(step, Command) and step.text.startswith(asks))
    machine.play(page[:at])
    machine.take(Command(0, "./kolab dns export --stack mine --to zones"))
    zones = {
        zone: (machine.root / "zones" / file_name(zone)).read_text()
        for zone in ("example.org", "example.net")
    }
    with serving(tmp_path / "named", zones) as server:
        # The world's name servers are this one.
        replace(machine, beside={asks: f"--server {server.given}"}).play(page[at:])


@pytest.mark.parametrize(
    "name", [Path(name).stem for name in tracked() if fnmatch(name, "stacks/Pulumi.*.yaml")]
)
def test_a_copy_of_a_shipped_example_gets_its_secrets_and_a_preview(name: str, tmp_path: Path) -> None:
    values = example(name)
    values["kubernetes"]["render"] = "rendered/mine/manifests"
    machine_with(tmp_path, values, at_last="./kolab preview --stack mine")
