"""Amavis by effect: a real amavisd is asked what it understood, of both generations of the image and of mutants."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import entry
from model import budget
from tests.lab.images import keys
from tests.support.images import GENERATIONS, Mutant, environment, put, swap, swap_like
from tests.support.mutants import MUTANTS
from tests.support.mutants.amavis import CONF, INIT
from tests.support.postfix import folder
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment

pytestmark = pytest.mark.thorough

SIGNED, UNSIGNED = "cluster", "single-node"
"""Stacks with an active key, and with one that is published only."""

KEPT = "/var/lib/quarantine"

PROBE = """
use JSON::PP;
my %banks = map { my $v = $policy_bank{$_}{enable_dkim_signing}; ($_ => (ref $v ? $$v : $v) ? 1 : 0) } keys %policy_bank;
my ($said) = $ENV{PROBE} =~ /(.*)/;
open(my $out, '>', $said) or die "probe: $!";
print $out JSON::PP->new->encode({
  networks => [@mynetworks], bind => $inet_socket_bind, acl => [@inet_acl], signs => [sort grep { $banks{$_} } keys %banks],
  dsn => $lookup_sql_dsn[0][0], processes => $max_servers, kill => $sa_kill_level_deflt, line => $log_templ,
  destinies => [$final_spam_destiny == D_PASS, $final_banned_destiny == D_PASS, $final_bad_header_destiny == D_PASS, $final_virus_destiny == D_DISCARD],
  keeps => [map { $_ // '' } $QUARANTINEDIR, $virus_quarantine_method, ${$virus_quarantine_to_maps[0]}, $spam_quarantine_method],
  banks => [grep { /quarantine|destiny|level_maps|lovers/ } map { $_ eq '' ? () : keys %{$policy_bank{$_}} } keys %policy_bank],
  levels => [map { 0 + (ref $_ ? $$_ : $_) } @spam_tag2_level_maps, @spam_kill_level_maps],
  becomes => [map { ref $_ eq 'CODE' ? 1 : 0 } @final_destiny_maps_by_ccat{CC_SPAM, CC_VIRUS, CC_BANNED, CC_BADH}],
  parts => [grep { /,/ && !/^@{[CC_MTA]},/ } keys %final_destiny_maps_by_ccat],
  spared => [map { ref $_ ? @$_ : $_ } @bypass_spam_checks_maps, @spam_lovers_maps, @virus_lovers_maps,
    map { $_ eq '' || $_ eq $interface_policy{13026} ? () : @{$policy_bank{$_}}{grep { /bypass_(spam|virus)/ } keys %{$policy_bank{$_}}} } keys %policy_bank],
  unscanned => scalar(@bypass_virus_checks_maps),
});
1;
"""


@pytest.fixture
def sandbox() -> Iterator[Sandbox]:
    if not Path("/usr/sbin/amavisd").exists():
        pytest.skip("Amavis is not installed: tests/install-packages test")
    if os.getuid() != 0:
        pytest.skip("Amavis reads configurations of root only")
    with folder() as root:
        yield Sandbox(root)


def rehearse(
    sandbox: Sandbox, generation: str, mutant: Mutant | None = None, stack: str = UNSIGNED, **env: str
) -> tuple[subprocess.CompletedProcess[str], dict[str, Any]]:
    """How a rehearsal of the image ends, and what amavisd understood."""
    put(sandbox, "amavis", generation, mutant)
    sandbox.mount(entry.PATH, deployment(stack).folder("postfix", "amavis", entry.PATH))
    pod = deployment(stack).workload("postfix").env("amavis") | deployment(stack).secret_env(
        "postfix", "amavis"
    )
    key = f"/var/dkim/{pod['APP_DOMAIN']}.{pod['DKIM_IDENTIFIER']}.pem"
    sandbox.put(key, keys.rsa_key())
    sandbox.put("/tmp/probe.conf", PROBE)
    said = sandbox.path("/tmp/said")
    said.touch()
    said.chmod(0o666)
    for name in ("amavisd", "/usr/sbin/amavisd"):
        # Three words are the image's own question; ours is asked with a probe that is read last.
        sandbox.command(
            name,
            'options=("${@:1:$#-1}"); [ $# -le 3 ] || options+=(-c /tmp/probe.conf)\n'
            'PROBE=/tmp/said PATH=/usr/sbin:/usr/bin:/bin exec amavisd "${options[@]}" "${@: -1}"',
        )
    for name in ("sa-update", "freshclam", "perl"):
        sandbox.command(name, "exit 1")
    done = sandbox.run(
        deployment(stack).file("postfix", "amavis", f"{entry.PATH}/entry.sh"),
        env=environment("amavis", generation) | pod | {"KOLAB_TASK": "rehearse"} | env,
    )
    return done, json.loads(said.read_text() or "{}")


def right(understood: dict[str, Any]) -> bool:
    """Whether nobody but this pod counts as ours, and nothing vanishes."""
    return (
        understood["networks"] == ["127.0.0.0/8", "[::1]"]
        and understood["bind"] == "127.0.0.1"
        and understood["acl"] == ["127.0.0.1", "[::1]"]
        and all(understood["destinies"])
        and understood["keeps"][0].endswith(KEPT)
        and understood["keeps"][1:] == ["local:virus-%m", "virus-quarantine", ""]
        and understood["banks"] == understood["parts"] == understood["spared"] == []
        and understood["levels"] == [understood["levels"][0]] * 2
        and all(understood["becomes"])
        and understood["dsn"].endswith(";mysql_connect_timeout=10;mysql_read_timeout=10")
    )


@pytest.mark.parametrize("generation", GENERATIONS)
def test_amavis_is_for_this_pod_alone_and_nothing_vanishes(sandbox: Sandbox, generation: str) -> None:
    done, understood = rehearse(sandbox, generation)
    assert done.returncode == 0, done.stderr
    assert right(understood)


@pytest.mark.parametrize("generation", GENERATIONS)
def test_amavis_has_a_process_more_than_postfix_has_sessions_with_it(
    sandbox: Sandbox, generation: str
) -> None:
    _, understood = rehearse(sandbox, generation)
    assert understood["processes"] == budget.FILTERED + 1


@pytest.mark.parametrize("generation", GENERATIONS)
def test_nothing_is_signed_before_a_key_is_active(sandbox: Sandbox, generation: str) -> None:
    _, understood = rehearse(sandbox, generation)
    assert understood["signs"] == []


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_our_users_send_is_signed_once_a_key_is_active(sandbox: Sandbox, generation: str) -> None:
    _, understood = rehearse(sandbox, generation, stack=SIGNED)
    assert "ORIGINATING" in understood["signs"]


def test_the_level_of_spam_is_that_of_the_stack_whatever_the_image_has_of_its_own(sandbox: Sandbox) -> None:
    done, understood = rehearse(
        sandbox, "b", KOLAB_SPAM_FROM="8.5", SPAM_KILL_LEVEL="20", SPAM_KILL_ACTION="D_DISCARD"
    )
    assert done.returncode == 0, done.stderr
    assert float(understood["kill"]) == 8.5
    # What becomes of it is decided here: nothing vanishes.
    assert understood["destinies"][0]


@pytest.mark.parametrize("generation", GENERATIONS)
def test_what_is_kept_from_people_lies_where_amavis_may_write(sandbox: Sandbox, generation: str) -> None:
    rehearse(sandbox, generation)
    assert sandbox.path(KEPT).is_dir()
    assert f"chown amavis:amavis {KEPT}" in sandbox.calls


@pytest.mark.parametrize("generation", GENERATIONS)
def test_spam_of_the_second_score_is_kept_where_the_stack_names_one(
    sandbox: Sandbox, generation: str
) -> None:
    _, understood = rehearse(sandbox, generation, KOLAB_QUARANTINE_AT="12.5")
    assert float(understood["kill"]) == 12.5
    assert not understood["destinies"][0]
    assert understood["keeps"][3] == "local:spam-%m"


@pytest.mark.parametrize("generation", GENERATIONS)
def test_the_log_names_the_tests_of_a_verdict_and_nothing_that_people_wrote(
    sandbox: Sandbox, generation: str
) -> None:
    _, understood = rehearse(sandbox, generation)
    said = [line for line in understood["line"].splitlines() if not line.startswith("#")]
    # Once for what is let through, once for what is stopped.
    assert sum("Tests: " in line for line in said) == 2
    assert not any(word in line for line in said for word in ("Subject: ", "From: "))


@pytest.mark.parametrize("mutant", MUTANTS["amavis"], ids=str)
def test_a_changed_image_is_right_in_effect_or_refused(sandbox: Sandbox, mutant: Mutant) -> None:
    done, understood = rehearse(sandbox, mutant.generation, mutant)
    if mutant.refused:
        assert done.returncode
        assert re.search(mutant.refused, done.stdout + done.stderr)
    else:
        assert done.returncode == 0, done.stderr
        assert right(understood)
        assert understood["signs"] == []


def test_viruses_are_looked_for_where_the_stack_has_a_scanner(sandbox: Sandbox) -> None:
    spared = Mutant("spared", {CONF: swap("$virus_admin = undef;", "@bypass_virus_checks_maps = (1);")})
    sandbox.command("clamd")
    done, understood = rehearse(sandbox, "b", spared, CLAMD="true")
    assert (done.returncode, understood["unscanned"]) == (0, 0), done.stderr


def test_a_scanner_that_is_not_asked_stops_amavis(sandbox: Sandbox) -> None:
    unasked = Mutant(
        "unasked",
        {CONF: swap("$virus_admin = undef;", ""), INIT: swap("if $CLAMD; then", "if ! $CLAMD; then")},
    )
    sandbox.command("clamd")
    done, _ = rehearse(sandbox, "b", unasked, CLAMD="true")
    assert (done.returncode, "would ask no scanner" in done.stderr) == (70, True)


def test_a_key_that_is_active_and_not_there_stops_amavis(sandbox: Sandbox) -> None:
    mutant = Mutant("no key", {CONF: swap_like(r"^dkim_key\(.*$", "")})
    done, _ = rehearse(sandbox, "a", mutant, stack=SIGNED)
    assert (done.returncode, "no key would sign" in done.stderr) == (70, True)


@pytest.mark.parametrize("name", ["OURS", "ORIGINATING"])
def test_mail_of_our_users_is_signed_whatever_its_bank_is_called(sandbox: Sandbox, name: str) -> None:
    mutant = Mutant("bank", {CONF: swap("'ORIGINATING'", f"'{name}'")})
    _, understood = rehearse(sandbox, "b", mutant, stack=SIGNED)
    assert understood["signs"] == [name]
