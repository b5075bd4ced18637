"""`./kolab user`, `domain` and `list` on the lab's web application, with real tables: what they come to, and that twice is once."""

from __future__ import annotations

import io
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from ops import kubectl
from ops.__main__ import main
from ops.stacks import StackFile
from tests.ops.cluster_of import CONTEXT, Answer, FakeCluster
from tests.support.mariadb import Mariadb, mariadb
from tests.support.stacks import changed
from tests.support.standin import Application, application

pytestmark = pytest.mark.thorough
PASSWORD = "Correct4Horse"


@pytest.fixture(scope="module")
def database() -> Iterator[Mariadb]:
    with mariadb() as running:
        yield running


@pytest.fixture
def cluster(database: Mariadb, monkeypatch: pytest.MonkeyPatch) -> Iterator[FakeCluster]:
    with application(database, monkeypatch) as app:
        answers: dict[str, Answer] = {"exec php": app.called, "exec postfix-0": "team@example.org\n"}
        fake = FakeCluster(CONTEXT, "kolab", answers)
        fake.__dict__["app"] = app
        settings = changed("single-node", {"hostedDomains": ["example.net"]})
        monkeypatch.setattr(kubectl.Kubectl, "of", lambda _: fake)
        monkeypatch.setattr(
            StackFile,
            "read",
            classmethod(lambda cls, name: type("_", (), {"settings": lambda self: (settings, ())})()),
        )
        yield fake


def app(cluster: FakeCluster) -> Application:
    found: Application = cluster.__dict__["app"]
    return found


def run(line: str, monkeypatch: pytest.MonkeyPatch | None = None, typed: str = "") -> int:
    if monkeypatch:
        monkeypatch.setattr("sys.stdin", io.StringIO(typed))
    return main([*line.split(), "--stack", "x"])


def shown(line: str, capsys: pytest.CaptureFixture[str]) -> object:
    capsys.readouterr()
    assert main([*line.split(), "--json", "--stack", "x"]) in (0, 1)
    return json.loads(capsys.readouterr().out)


def test_a_domain_of_the_stack_file_is_added_owned_confirmed_and_takes_accounts(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("domain list") == 1
    assert "in the stack file alone, so its mail is refused" in capsys.readouterr().out
    assert run("domain add") == 0
    assert run("domain add example.net") == 0
    assert "example.net: there already" in capsys.readouterr().out
    assert run("domain list") == 0
    assert run("user add joe@example.net", monkeypatch, f"{PASSWORD}\n") == 0
    assert ("create-mailbox", "joe@example.net") in app(cluster).jobs


def test_without_an_owner_the_application_would_take_nobody(cluster: FakeCluster) -> None:
    """Why `domain add` does more than domain:create."""
    made = app(cluster)
    assert made.typed("domain:create", "example.net")[0] == 0
    code, said = made.typed("user:create", "joe@example.net", "--package=kolab")
    assert (code, "owner" in said) == (1, True)


def test_an_account_has_a_mailbox_its_room_and_its_aliases_and_twice_is_once(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    line = "user add jane@example.org --quota 7 --alias doe@example.org"
    for said in ("made", "there already"):
        capsys.readouterr()
        assert run(line, monkeypatch, f"{PASSWORD}\n") == 0
        assert capsys.readouterr().out == f"jane@example.org: {said}\n"
    assert shown("user show jane@example.org", capsys) == {
        "email": "jane@example.org", "state": "active", "gigabytes": 7, "aliases": ["doe@example.org"],
        "secondFactor": False,
    }  # fmt: skip
    assert app(cluster).module.accounts.login("jane@example.org", PASSWORD)


def test_three_accounts_of_a_file_are_made_and_the_one_that_is_refused_is_named(
    cluster: FakeCluster, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    del cluster
    table = tmp_path / "people.csv"
    table.write_text(
        "email,password,quota\n"
        f"ann@example.org,{PASSWORD},\nbob@example.net,{PASSWORD},\ncid@example.org,,9\n"
    )
    assert run(f"user add --from {table}") == 1
    assert "1 accounts of people.csv have no password" in capsys.readouterr().err
    assert run(f"user add --from {table} --passwords-to {tmp_path}/made") == 1
    seen = capsys.readouterr()
    assert "ann@example.org: made" in seen.out
    assert "cid@example.org: made" in seen.out
    assert (
        seen.err
        == "user: bob@example.net: the web application refuses user:create: No such domain example.net.\n"
    )
    assert (tmp_path / "made").read_text().startswith("cid@example.org,")
    assert run("domain add") == 0
    assert run(f"user add --from {table}") == 0
    assert "bob@example.net: made" in capsys.readouterr().out


@pytest.mark.usefixtures("cluster")
def test_a_dry_run_says_what_would_be_and_changes_nothing(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "people.csv"
    table.write_text(f"email,password\nann@example.org,{PASSWORD}\n")
    assert run(f"user add --from {table} --dry-run") == 0
    assert capsys.readouterr().out == "ann@example.org: would be made\n"
    assert shown("user list", capsys) == [{"email": "admin@example.org", "state": "being made"}]


def test_an_account_is_suspended_resumed_resized_and_gets_another_password(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    right = app(cluster).module.accounts.login
    assert run("user add jane@example.org", monkeypatch, f"{PASSWORD}\n") == 0
    assert run("user suspend jane@example.org") == 0
    assert not right("jane@example.org", PASSWORD)
    assert run("user resume jane@example.org") == 0
    assert right("jane@example.org", PASSWORD)
    assert run("user passwd jane@example.org", monkeypatch, "Another4Horse\n") == 0
    assert right("jane@example.org", "Another4Horse")
    assert run("user quota jane@example.org 2") == 0
    assert run("user alias jane@example.org doe@example.org j@example.org") == 0
    assert run("user alias jane@example.org doe@example.org") == 0
    found = shown("user show jane@example.org", capsys)
    assert isinstance(found, dict)
    assert (found["gigabytes"], found["aliases"]) == (2, ["doe@example.org", "j@example.org"])


def test_a_lost_second_factor_is_taken_away(cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch) -> None:
    assert run("user add jane@example.org", monkeypatch, f"{PASSWORD}\n") == 0
    assert app(cluster).typed("user:assign-sku", "jane@example.org", "2fa")[0] == 0
    for _ in range(2):
        assert run("user 2fa-reset jane@example.org") == 0
    assert "2fa" not in app(cluster).typed("user:entitlements", "jane@example.org")[1]


def test_removal_says_what_goes_and_the_owner_of_everything_stays(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("user add jane@example.org --alias doe@example.org", monkeypatch, f"{PASSWORD}\n") == 0
    assert run("user remove jane@example.org") == 0
    said = capsys.readouterr().out
    assert (
        "its mailbox with all mail, calendars and contacts, its files, and the aliases doe@example.org"
        in said
    )
    assert run("user remove jane@example.org --context prod") == 0
    assert ("delete-mailbox", "jane@example.org") in app(cluster).jobs
    assert run("user remove admin@example.org --context prod") == 1
    assert "owns every domain" in capsys.readouterr().err
    assert run("user show jane@example.org") == 1


def test_a_domain_goes_only_when_it_is_out_of_the_stack_file_and_empty(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("domain add") == 0
    assert run("domain remove example.net --context prod") == 1
    assert "is still in kolab:hostedDomains" in capsys.readouterr().err
    assert run("user add joe@example.net", monkeypatch, f"{PASSWORD}\n") == 0
    settings = changed("single-node", {"hostedDomains": []})
    monkeypatch.setattr(
        StackFile,
        "read",
        classmethod(lambda cls, name: type("_", (), {"settings": lambda self: (settings, ())})()),
    )
    assert run("domain remove example.net --context prod") == 1
    assert "still has 1 accounts, such as joe@example.net" in capsys.readouterr().err
    assert app(cluster).typed("user:delete", "joe@example.net")[0] == 0
    assert run("domain remove example.net --context prod") == 0
    assert run("domain list") == 0


@pytest.mark.usefixtures("cluster")
def test_a_suspended_domain_is_seen_and_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    assert run("domain add") == 0
    assert run("domain suspend example.net --context prod") == 0
    assert run("domain add") == 1
    assert "./kolab domain resume example.net is the way back" in capsys.readouterr().err
    assert run("domain resume example.net") == 0
    assert run("domain list") == 0


@pytest.mark.usefixtures("cluster")
def test_a_list_is_made_grows_shrinks_and_goes(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run("user add jane@example.org", monkeypatch, f"{PASSWORD}\n") == 0
    assert run("list add team@example.org jane@example.org out@else.test") == 0
    assert run("list add team@example.org jane@example.org more@else.test") == 0
    assert shown("list list", capsys) == ["team@example.org"]
    assert shown("list show team@example.org", capsys) == [
        "jane@example.org",
        "out@else.test",
        "more@else.test",
    ]
    assert run("list drop team@example.org out@else.test nobody@else.test") == 0
    assert shown("list show team@example.org", capsys) == ["jane@example.org", "more@else.test"]
    assert run("list remove team@example.org --context prod") == 0
    assert shown("list list", capsys) == []
    assert shown("resource list", capsys) == []


def test_a_list_that_postfix_does_not_know_is_said_to_be_refused(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    assert isinstance(cluster.answers, dict)
    cluster.answers["exec postfix-0"] = ""
    assert run("user add jane@example.org", monkeypatch, f"{PASSWORD}\n") == 0
    assert run("list add team@example.org jane@example.org") == 1
    assert "refuses mail to it (550 User unknown)" in capsys.readouterr().out


def test_no_password_was_ever_on_a_command_line(
    cluster: FakeCluster, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    table = tmp_path / "people.csv"
    table.write_text(f"email,password\nann@example.org,{PASSWORD}\n")
    assert run(f"user add --from {table}") == 0
    assert run("user passwd ann@example.org", monkeypatch, f"{PASSWORD}2\n") == 0
    assert run("user add bob@example.org", monkeypatch, f"{PASSWORD}3\n") == 0
    seen = capsys.readouterr()
    said = " ".join(word for line in cluster.calls for word in line) + seen.out + seen.err
    assert PASSWORD not in said
    assert sum(PASSWORD in text for text in cluster.texts) == 3
