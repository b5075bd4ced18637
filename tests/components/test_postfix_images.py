"""Postfix by effect: a real postconf is asked what it understood, of both generations of the image and of mutants."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from functools import cached_property
from pathlib import Path

import pytest

from components import entry
from model import budget
from tests.support.images import (
    GENERATIONS,
    Change,
    Mutant,
    added,
    both,
    changed_files,
    environment,
    passwords,
    put,
    swap,
)
from tests.support.mutants import MUTANTS
from tests.support.mutants.postfix import MAIN, PEM, main, master
from tests.support.postfix import folder, mailserver
from tests.support.sandbox import Sandbox, wait_for
from tests.support.stacks import deployment

pytestmark = pytest.mark.thorough

WORLD, ANSWERS, PEOPLE, BACK = "10025", "10026", "10587", "127.0.0.1:13025"
REAL = "PATH=/usr/sbin:/usr/bin:/bin exec"


class Image:
    """An image of which a rehearsal has been run."""

    def __init__(self, sandbox: Sandbox, generation: str, mutant: Mutant | None = None, **env: str) -> None:
        self.sandbox = sandbox
        put(sandbox, "postfix", generation, mutant)
        sandbox.mount(entry.PATH, deployment("single-node").folder("postfix", "postfix", entry.PATH))
        passwords(sandbox)
        for command in ("postfix", "/usr/sbin/postfix"):
            sandbox.command(command)
        for command in ("postconf", "postmap"):
            sandbox.command(
                command, f'[ -n "$MAIL_CONFIG" ] || export MAIL_CONFIG=/etc/postfix\n{REAL} {command} "$@"'
            )
        for file in ("postfix-files", "dynamicmaps.cf"):
            shutil.copy(f"/etc/postfix/{file}", sandbox.path("/etc/postfix"))
        shutil.copytree("/etc/postfix/dynamicmaps.cf.d", sandbox.path("/etc/postfix/dynamicmaps.cf.d"))
        sandbox.put("/etc/aliases", "postmaster: root\n")
        subprocess.run(["postalias", str(sandbox.path("/etc/aliases"))], check=True)
        sandbox.put(PEM, "")
        for inside in ("/var/spool/postfix", "/var/lib/postfix"):
            sandbox.path(inside).mkdir(parents=True)
        sandbox.put("/kolab/certificate/tls.crt", "certificate ")
        sandbox.put("/kolab/certificate/tls.key", "key")
        pod = deployment("single-node")
        given = pod.workload("postfix").env("postfix") | pod.secret_env("postfix", "postfix")
        self.done = sandbox.run(
            pod.file("postfix", "postfix", f"{entry.PATH}/entry.sh"),
            env=environment("postfix", generation) | given | {"KOLAB_TASK": "rehearse"} | env,
        )

    def _ask(self, *words: str) -> str:
        config = str(self.sandbox.path("/etc/postfix"))
        done = subprocess.run(["postconf", "-c", config, *words], capture_output=True, text=True, check=True)
        return done.stdout.strip().replace(str(self.sandbox.root), "")

    def warnings(self) -> list[str]:
        """What Postfix' commands warn of."""
        config = str(self.sandbox.path("/etc/postfix"))
        done = subprocess.run(["postconf", "-c", config, "-n"], capture_output=True, text=True, check=True)
        return done.stderr.splitlines()

    @cached_property
    def _values(self) -> dict[str, str]:
        lines = (line.split(" =", 1) for line in f"{self._ask('-x')}\n{self._ask('-xP')}".splitlines())
        return {name: value.strip() for name, value in lines}

    def main(self, name: str) -> str:
        """A value for all of Postfix."""
        return self._values.get(name, "")

    def at(self, service: str, name: str) -> str:
        """A value at a service."""
        return self._values.get(f"{service}/inet/{name}", self.main(name))

    def inside(self, service: str, name: str) -> str:
        """A value at a service without a port."""
        return self._values.get(f"{service}/unix/{name}", self.main(name))

    def listening(self) -> list[str]:
        """Where Postfix listens."""
        return sorted(line.split()[0] for line in self._ask("-M").splitlines() if line.split()[1] == "inet")

    def problems(self) -> list[str]:
        """What is not as it has to be. Each name is a promise of the page about security."""
        world = next((each for each in self.listening() if each.endswith("10025")), "")
        people = next((each for each in self.listening() if each.endswith("10587")), "")
        back = "127.0.0.1:13025"
        everybody = (world, people, ANSWERS, back)
        ways = {"smtp": "may", "relay": "may", "smtp-amavis": "none"}
        senders = [*self.at(world, "smtpd_sender_restrictions").split(", "), "permit"]
        right = {
            "listens": self.listening() == [WORLD, ANSWERS, PEOPLE, back] and (self.main("inet_interfaces"), self.main("master_service_disable")) == ("all", ""),
            "networks": {self.at(each, "mynetworks") for each in (world, people, back)} == {"127.0.0.0/8"},
            "relay": self.at(world, "smtpd_relay_restrictions") == "permit_mynetworks,reject_unauth_destination"
            and self.at(people, "smtpd_relay_restrictions") == "permit_sasl_authenticated,reject"
            and self.main("relay_domains") == "",
            "no passwords": self.at(world, "smtpd_sasl_exceptions_networks") == "static:all"
            and self.at(world, "smtpd_command_filter") == "regexp:/etc/postfix/kolab_commands",
            "passwords": self.at(people, "smtpd_sasl_auth_enable") == "yes"
            and self.at(people, "smtpd_sasl_exceptions_networks") == ""
            and self.at(people, "smtpd_tls_auth_only") == "no",
            "senders": "reject_unauthenticated_sender_login_mismatch" in senders
            and senders.index("reject_unauthenticated_sender_login_mismatch") < senders.index("permit")
            and not any("sender_access" in each for each in senders),
            "held": "HOLD" not in self._ask("-P"),
            "tls": {self.at(each, name) for each in (world, people, back) for name in ("smtpd_tls_protocols", "smtpd_tls_mandatory_protocols")} == {"!SSLv2,!SSLv3,!TLSv1,!TLSv1.1"}
            and {self.at(each, "smtpd_tls_security_level") for each in (world, people)} == {"may"},
            "certificate": self.at(world, "smtpd_tls_key_file") == PEM and self.at(world, "smtpd_tls_chain_files") == "",
            "speaks as it is spoken to": {self.at(each, "smtpd_tls_wrappermode") for each in everybody} == {"no"}
            and {self.at(each, "smtpd_tls_security_level") for each in (ANSWERS, back)} == {"none"},
            "hides": {each: self.inside(each, "smtp_tls_security_level") for each in ways} == ways
            and {self.inside(each, "smtp_tls_wrappermode") for each in ways} == {"no"}
            and self.inside("lmtp", "lmtp_tls_security_level") == "none",
            "takes mail back": {self.at(back, f"smtpd_{each}_restrictions") for each in ("client", "helo", "sender", "data", "end_of_data")} == {""}
            and self.at(back, "smtpd_recipient_restrictions") == "permit_mynetworks,reject",
            "root": {line.split()[4] for line in self._ask("-M").splitlines()} == {"n"},
            "asks nobody else": {self.main(each) for each in ("smtpd_milters", "non_smtpd_milters", "smtpd_proxy_filter")} == {""}
            and not any("milters=" in line and not line.endswith("=") for line in self._ask("-M").split()),
            "bounces": self.main("soft_bounce") == "no",
            "expands": "no_address_mappings" not in self.at(back, "receive_override_options") + self.at(ANSWERS, "receive_override_options")
            and "mysql:" in self.inside("cleanup_internal", "virtual_alias_maps"),
            "knows its people": self.at(world, "smtpd_reject_unlisted_recipient") == "yes"
            and "no_unknown_recipient_checks" not in self.at(world, "receive_override_options"),
            "asks for passwords": (self.main("smtpd_sasl_type"), self.main("smtpd_sasl_path"), self.main("smtpd_sasl_security_options")) == ("cyrus", "smtpd", "noanonymous"),
            "out": (self.main("default_transport"), self.main("relayhost")) == ("smtp", ""),
            "no proxy protocol": self.at(world, "smtpd_upstream_proxy_protocol") == "",
            "nobody speaks for others": self.at(world, "smtpd_authorized_xclient_hosts") == "",
            "size": self.at(world, "message_size_limit") == str(50 * 1024**2),
            "aliases": "}, texthash:/etc/postfix/kolab_aliases, " in self.main("virtual_alias_maps"),
        }  # fmt: skip
        return [name for name, holds in right.items() if not holds]


def _needed() -> None:
    if not Path("/usr/sbin/postconf").exists():
        pytest.skip("Postfix is not installed: tests/install-packages test")
    if os.getuid() != 0:
        pytest.skip("Postfix' configuration is root's")


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    _needed()
    with folder() as root:
        yield Sandbox(root)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_postfix_relays_for_nobody_and_takes_passwords_from_people_alone(
    sandbox: Sandbox, generation: str
) -> None:
    image = Image(sandbox, generation)
    assert image.done.returncode == 0, image.done.stderr
    assert image.problems() == []
    assert image.done.stderr == ""


@pytest.mark.parametrize("generation", GENERATIONS)
def test_all_tables_of_the_image_stay(sandbox: Sandbox, generation: str) -> None:
    image = Image(sandbox, generation)
    tables = {file.name for file in sandbox.path("/etc/postfix/sql").iterdir()}
    maps = image.main("virtual_alias_maps") + image.main("local_recipient_maps") + image.main("mydestination")
    assert {name for name in tables if f"proxy:mysql:/etc/postfix/sql/{name}" in maps} == tables


@pytest.mark.parametrize(("more", "processes"), [(0, budget.PROXYMAPS), (5, 3), (12, 2)])
def test_an_image_with_more_tables_has_fewer_processes_that_ask_them(
    sandbox: Sandbox, more: int, processes: int
) -> None:
    sql = "mysql:/etc/postfix{}/sql/virtual_alias_maps.cf"
    others = "".join(f"    {sql.format('/.' * number)},\n" for number in range(1, more + 1))
    mapped = f"    {sql.format('')},\n"
    image = Image(sandbox, "b", main("more tables", swap(mapped, mapped + others)))
    assert image.done.returncode == 0, image.done.stderr
    assert image._ask("-F", "proxymap/unix/process_limit").endswith(f"= {processes}")
    assert processes * (budget.TABLES + more) <= budget.PROXYMAPS * budget.TABLES


@pytest.mark.parametrize("generation", GENERATIONS)
def test_postfix_warns_of_no_parameter_that_our_changes_left_unread(
    sandbox: Sandbox, generation: str
) -> None:
    image = Image(sandbox, generation)
    assert image.done.returncode == 0, image.done.stderr
    assert image.warnings() == []


def test_a_parameter_that_the_image_itself_left_unread_stays(sandbox: Sandbox) -> None:
    # Something in the image may read main.cf itself.
    image = Image(sandbox, "b", main("for a program", added("kolab_program_answers = yes")))
    assert image.done.returncode == 0, image.done.stderr
    assert "\nkolab_program_answers = yes\n" in sandbox.path(MAIN).read_text()


@pytest.fixture(scope="module", params=GENERATIONS)
def running(request: pytest.FixtureRequest) -> Iterator[Image]:
    """Either generation, as it is."""
    _needed()
    with folder() as root:
        yield Image(Sandbox(root), request.param)


def test_the_null_sender_may_write_to_port_25(running: Image) -> None:
    # Generation A's table of senders refuses <>: no bounce, no delivery report and no vacation answer would arrive.
    assert "check_sender_access" not in running.at(WORLD, "smtpd_sender_restrictions")


def test_a_stranger_still_cannot_write_as_one_of_us(running: Image) -> None:
    rules = running.at(WORLD, "smtpd_sender_restrictions").split(", ")
    assert rules.index("reject_unauthenticated_sender_login_mismatch") < rules.index("permit")


def test_spf_is_still_judged(running: Image) -> None:
    rules = running.at(WORLD, "smtpd_sender_restrictions").split(", ")
    assert rules.index("check_policy_service unix:private/policy_spf") < rules.index("permit")


def test_auth_is_not_offered_on_port_25(running: Image) -> None:
    assert running.at(WORLD, "smtpd_sasl_exceptions_networks") == "static:all"
    assert running.at(WORLD, "smtpd_command_filter") == "regexp:/etc/postfix/kolab_commands"


def test_sasl_stays_on_at_port_25_since_the_check_of_senders_needs_it(running: Image) -> None:
    assert running.at(WORLD, "smtpd_sasl_auth_enable") == "yes"


def test_the_mail_proxy_may_log_in_on_the_inner_port_without_tls(running: Image) -> None:
    # nginx speaks no TLS to its backends.
    assert running.at(PEOPLE, "smtpd_tls_auth_only") == "no"


def test_the_submission_ports_of_the_image_are_closed(running: Image) -> None:
    assert running.listening() == [WORLD, ANSWERS, PEOPLE, BACK]


def test_the_reinjection_port_listens_inside_the_pod_only(running: Image) -> None:
    assert [each for each in running.listening() if each.endswith("13025")] == [BACK]


def test_addresses_cannot_be_tried_out_by_vrfy_or_etrn(running: Image) -> None:
    assert running.at(WORLD, "disable_vrfy_command") == "yes"
    assert running.at(WORLD, "smtpd_etrn_restrictions") == "reject"


def test_old_tls_is_refused_in_words_that_old_postfix_understands(running: Image) -> None:
    for service in (WORLD, PEOPLE):
        for name in ("smtpd_tls_protocols", "smtpd_tls_mandatory_protocols"):
            assert running.at(service, name) == "!SSLv2,!SSLv3,!TLSv1,!TLSv1.1"


def test_postfix_greets_with_the_name_that_its_egress_address_points_back_to(running: Image) -> None:
    assert running.at(WORLD, "myhostname") == "mail.example.org"


def test_messages_may_be_as_large_as_the_stack_file_says(running: Image) -> None:
    assert running.at(WORLD, "message_size_limit") == str(50 * 1024**2)


@pytest.mark.parametrize("mutant", MUTANTS["postfix"], ids=str)
def test_a_changed_image_is_right_in_effect_or_refused(sandbox: Sandbox, mutant: Mutant) -> None:
    image = Image(sandbox, mutant.generation, mutant)
    if mutant.refused:
        assert image.done.returncode == 70, image.done.stderr
        assert re.search(mutant.refused, image.done.stderr), image.done.stderr
    else:
        assert image.done.returncode == 0, image.done.stderr
        assert image.problems() == []


PASSES = (
    "TLS of everybody",
    "TLS before the greeting",
    "TLS to everybody",
    "services with a root of their own",
    "a milter",
    "a filter before the queue",
)
"""Mutants of an image that each would keep mail on its way through the filter."""


def test_mail_passes_an_image_that_would_have_kept_it(monkeypatch: pytest.MonkeyPatch) -> None:
    changes: dict[str, Change] = {}
    for mutant in (each for each in MUTANTS["postfix"] if each.name in PASSES):
        changes |= {path: both(changes.get(path, str), change) for path, change in mutant.changes.items()}
    changed = Mutant("all of them", changes, generation="a")
    monkeypatch.setattr("tests.support.postfix.files", lambda name, _: changed_files(name, changed))
    with mailserver(deployment("single-node"), None) as ours:
        ours.send("jane@example.org", "passes")
        wait_for(lambda: "passes" in ours.delivered.subjects())
        assert "passes" in ours.filter.subjects()


def test_a_mail_filter_that_is_on_stays_on_and_does_not_go_round(sandbox: Sandbox) -> None:
    mutant = master("pickup is filtered", swap("pickup    fifo  n       -       n       60      1       pickup\n    -o content_filter=\n", "pickup    fifo  n       -       n       60      1       pickup\n"))  # fmt: skip
    image = Image(sandbox, "b", mutant, WITH_CONTENTFILTER="true")
    assert image.done.returncode == 0, image.done.stderr
    assert image.at("127.0.0.1:13025", "content_filter") == "policy_mailfilter:dummy"
    assert "pickup/fifo/content_filter =" in image._ask("-P").splitlines()
