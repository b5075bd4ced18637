"""`./kolab user`, `domain`, `list`: files that are read, passwords that are kept, and steps that are taken once."""

from __future__ import annotations

import json
import stat
from pathlib import Path
from typing import Any

import pytest

from model.settings import Passwords
from ops import artisan
from ops.__main__ import main
from ops.artisan import MARK, call
from ops.people import bulk, passwords, plan
from ops.people.application import Details, Domain, address
from ops.people.bulk import Account
from ops.people.domain import differences
from ops.stacks import StackProblem
from tests.ops.cluster_of import FakeCluster, stand_in
from tests.support.stacks import changed, stack

SETTINGS = changed("single-node", {"hostedDomains": ["example.net"]})
SECRET = "Correct4Horse"


def file(tmp_path: Path, name: str, text: str) -> Path:
    path = tmp_path / name
    path.write_text(text)
    return path


# Files


@pytest.mark.parametrize(
    "text",
    [
        "email,password,quota,aliases\nJane@Example.org,Correct4Horse,7,doe@example.org;j@example.net\n",
        "\ufeffemail;aliases;password;quota\njane@example.org;doe@example.org j@example.net;Correct4Horse;7\n",
        'Email , Password,quota,aliases\n\njane@example.org,"Correct4Horse",7,"doe@example.org j@example.net"\n\n',
    ],
)
def test_a_table_is_read_as_spreadsheets_write_it(text: str, tmp_path: Path) -> None:
    wanted = Account("jane@example.org", SECRET, 7, ("doe@example.org", "j@example.net"))
    assert bulk.read(file(tmp_path, "people.csv", text), SETTINGS) == [wanted]


def test_a_directory_is_read_with_folded_lines_base64_and_without_what_is_nobody(tmp_path: Path) -> None:
    text = (
        "version: 1\n# people\ndn: uid=jane,dc=example,dc=org\nobjectClass: inetOrgPerson\nobjectClass: top\n"
        "mail: jane@exam\n ple.org\nalias: doe@example.org\nmailquota: 5242881\nuserPassword:: Q29ycmVjdDRIb3JzZQ==\n"
        "\ndn: cn=team\nobjectClass: groupOfNames\nmail: team@example.org\n"
        "\ndn: uid=joe\nobjectClass: person\nmail: joe@example.net\nmail: jo@example.net\nuserPassword: {SSHA}abcdefgh\n"
    )
    assert bulk.read(file(tmp_path, "people.ldif", text), SETTINGS) == [
        Account("jane@example.org", SECRET, 6, ("doe@example.org",)),
        Account("joe@example.net", None, None, ("jo@example.net",)),
    ]


@pytest.mark.parametrize(
    ("name", "text", "problem"),
    [
        ("a.txt", "", "must end in .csv or .ldif"),
        ("a.csv", "", "line 1: there is no column email"),
        ("a.csv", "email,phone\n", "line 1: 'phone' is no column"),
        ("a.csv", "email\n", "names no account"),
        ("a.csv", "email,quota\njane@example.org\n", "line 2: has another number of columns"),
        ("a.csv", "email,quota\njane@example.org,lots\n", "line 2: the quota must be a whole number of GiB"),
        (
            "a.csv",
            "email\njane@elsewhere.test\n",
            "line 2: jane@elsewhere.test: elsewhere.test is no domain of this",
        ),
        ("a.csv", "email\njane\n", "line 2: 'jane' is no mail address such as"),
        ("a.csv", "email\n-jane@example.org\n", "is no mail address"),
        (
            "a.csv",
            "email\njane@example.org\nJANE@example.org\n",
            "line 3: jane@example.org stands in line 2 already",
        ),
        (
            "a.csv",
            "email,aliases\nj@example.org,\nk@example.org,j@example.org\n",
            "line 3: j@example.org stands in",
        ),
        (
            "a.csv",
            f"email,password\nj@example.org,{SECRET} x\n",
            "line 2: the password of j@example.org must have no spaces",
        ),
        ("a.csv", 'email,password\n"j@example.org,x\n', "a.csv: "),
        ("a.ldif", "dn: x\nmail jane@example.org\n", "line 2: is no attribute and value"),
        ("a.ldif", "mail:: %%%\n", "line 1: is no base64"),
        (
            "a.ldif",
            "objectClass: person\nmail: j@example.org\nuserPassword:< file:///x\n",
            "values from files",
        ),
        (
            "a.ldif",
            "dn: x\nobjectClass: person\nmail: j@example.org\nmailquota: 5G\n",
            "mailquota must be a number",
        ),
    ],
)
def test_a_file_that_is_wrong_is_refused_with_its_line_and_without_its_passwords(
    name: str, text: str, problem: str, tmp_path: Path
) -> None:
    with pytest.raises(StackProblem) as caught:
        bulk.read(file(tmp_path, name, text), SETTINGS)
    said = str(caught.value)
    assert problem in said
    assert "\n" not in said
    assert SECRET not in said


def test_a_file_that_is_not_there_or_no_text_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StackProblem, match="No such file"):
        bulk.read(tmp_path / "none.csv", SETTINGS)
    (tmp_path / "odd.csv").write_bytes(b"email\n\xff\n")
    with pytest.raises(StackProblem, match="not UTF-8"):
        bulk.read(tmp_path / "odd.csv", SETTINGS)


# Passwords


@pytest.mark.parametrize("given", ["short", "with space", "tab\tinside", "x" * 256, "line\nbreak1", ""])
def test_a_password_that_would_never_be_right_is_refused(given: str) -> None:
    assert passwords.fault(given, Passwords())


def test_passwords_that_are_made_are_good_and_differ() -> None:
    wanted = Passwords(least=32, kinds=("lower", "upper", "digit"))
    found = {passwords.made(wanted) for _ in range(20)}
    assert len(found) == 20
    assert not any(passwords.fault(each, wanted) for each in found)


@pytest.mark.parametrize(
    "given", ["elevenchars", "nodigitHERE", "NOLOWER4you".upper(), "noupper4you", "Short4me"]
)
def test_a_password_that_the_stack_file_would_not_have_is_refused(given: str) -> None:
    # The commands of the application do not ask its own policy.
    assert passwords.fault(given, Passwords(kinds=("lower", "upper", "digit")))


def test_passwords_that_are_made_go_into_a_new_file_for_its_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "new"
    passwords.write(path, {"jane@example.org": SECRET})
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert path.read_text() == f"jane@example.org,{SECRET}\n"
    with pytest.raises(StackProblem, match="must name a new file"):
        passwords.write(path, {})


def test_an_account_never_shows_its_password() -> None:
    assert SECRET not in repr(Account("jane@example.org", SECRET))


# The application's commands


def answer(*found: tuple[int, str]) -> str:
    return "noise" + "".join(f"{MARK}{json.dumps(each)}\n" for each in found)


def test_arguments_go_in_on_standard_input_and_none_on_the_command_line() -> None:
    cluster = FakeCluster("prod", "kolab", {"exec": answer((0, "7\n"))})
    artisan.must(
        cluster, [call("user:create", email="jane@example.org", _package=["kolab"], _password=SECRET)]
    )
    assert SECRET not in " ".join(cluster.calls[0])
    assert json.loads(cluster.texts[0]) == [
        ["user:create", {"email": "jane@example.org", "--package": ["kolab"], "--password": SECRET, "--no-interaction": True}]
    ]  # fmt: skip


def test_what_the_application_says_is_told_without_the_password() -> None:
    cluster = FakeCluster("prod", "kolab", {"exec": answer((70, f"SQLSTATE: insert ({SECRET})"))})
    with pytest.raises(StackProblem) as caught:
        artisan.must(cluster, [call("user:password", user="jane@example.org", password=SECRET)])
    assert str(caught.value) == "the web application refuses user:password: SQLSTATE: insert ((password))"


def test_half_of_the_answers_is_no_answer() -> None:
    cluster = FakeCluster("prod", "kolab", {"exec": answer((0, ""))})
    with pytest.raises(StackProblem, match="answered 1 of 2 commands"):
        artisan.run(cluster, [call("users"), call("domains")])


# Steps


THERE = Details(["doe@example.org"], {"mailbox": 1, "storage": 5})


@pytest.mark.parametrize(
    ("account", "steps"),
    [
        (Account("j@example.org"), []),
        (Account("j@example.org", quota=5, aliases=("doe@example.org",)), []),
        (Account("j@example.org", quota=7), [call("user:assign-sku", user="j@example.org", sku="storage", _qty="2")]),
        (Account("j@example.org", quota=1), [call("user:remove-sku", user="j@example.org", sku="storage", _qty="4")]),
        (Account("j@example.org", aliases=("x@example.org",)), [call("user:add-alias", user="j@example.org", alias="x@example.org")]),
    ],
)  # fmt: skip
def test_only_what_is_lacking_is_done(account: Account, steps: list[Any]) -> None:
    assert plan.lacking(account, THERE) == steps


def test_stack_file_and_application_disagree_loudly() -> None:
    there = {
        "example.org": Domain("example.org", 50),
        "old.test": Domain("old.test", 50),
        "example.net": Domain("example.net", 1),
    }
    found = dict(differences(SETTINGS, there))
    assert set(found) == {"example.net", "old.test"}
    assert "./kolab domain add example.net" in found["example.net"]
    assert "in the application alone" in found["old.test"]
    missing = dict(differences(SETTINGS, {"example.org": there["example.org"]}))
    assert "in the stack file alone" in missing["example.net"]
    suspended = dict(differences(SETTINGS, there | {"example.net": Domain("example.net", 52)}))
    assert "./kolab domain resume example.net" in suspended["example.net"]


@pytest.mark.parametrize(
    "text", ["jane", "@example.org", "jane@", "a b@example.org", "--x@example.org", "j@e.org\nx"]
)
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(StackProblem, match="is no mail address"):
        address(text, SETTINGS)


@pytest.mark.parametrize(
    ("line", "problem"),
    [
        ("user add", "name one account, or many with --from FILE"),
        ("user add jane@example.org --quota 0", "from 1 to 10000"),
        ("user add jane@elsewhere.test", "is no domain of this stack"),
        ("domain add elsewhere.test", "is not in kolab:hostedDomains, so it would have no records"),
        ("list add team@elsewhere.test a@b.test", "is no domain of this stack"),
    ],
)
def test_what_cannot_be_meant_is_refused_before_anything_is_asked(
    line: str, problem: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    cluster = stand_in(monkeypatch, {})
    assert main([*line.split(), "--stack", "x"]) == 1
    (said,) = capsys.readouterr().err.splitlines()
    assert problem in said
    assert not cluster.calls


def test_the_stack_of_these_tests_has_the_domains_that_they_name() -> None:
    assert stack("single-node").domain == "example.org"
