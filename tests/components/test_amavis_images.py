"""Amavis by effect: a real amavisd is asked what it understood, of both generations of the image and of mutants."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import entry
from model import budget
from tests.lab.images import keys
from tests.support.images import GENERATIONS, Mutant, environment, put, swap, swap_like
from tests.support.postfix import folder
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment

pytestmark = pytest.mark.thorough

CONF, INIT = "/etc/amavisd/amavisd.conf", "/init.sh"
SIGNED, UNSIGNED = "cluster", "single-node"
"""Stacks with an active key, and with one that is published only."""

PROBE = """
use JSON::PP;
my %banks = map { my $v = $policy_bank{$_}{enable_dkim_signing}; ($_ => (ref $v ? $$v : $v) ? 1 : 0) } keys %policy_bank;
my ($said) = $ENV{PROBE} =~ /(.*)/;
open(my $out, '>', $said) or die "probe: $!";
print $out JSON::PP->new->encode({
  networks => [@mynetworks], bind => $inet_socket_bind, acl => [@inet_acl], signs => [sort grep { $banks{$_} } keys %banks],
  dsn => $lookup_sql_dsn[0][0], processes => $max_servers, kill => $sa_kill_level_deflt, line => $log_templ,
  destinies => [$final_spam_destiny == D_PASS, $final_banned_destiny == D_PASS, $final_bad_header_destiny == D_PASS, $final_virus_destiny == D_DISCARD],
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
def test_the_log_names_the_tests_of_a_verdict_and_nothing_that_people_wrote(
    sandbox: Sandbox, generation: str
) -> None:
    _, understood = rehearse(sandbox, generation)
    said = [line for line in understood["line"].splitlines() if not line.startswith("#")]
    # Once for what is let through, once for what is stopped.
    assert sum("Tests: " in line for line in said) == 2
    assert not any(word in line for line in said for word in ("Subject: ", "From: "))


def conf(name: str, old: str, new: str, refused: str | None = None) -> Mutant:
    return Mutant(name, {CONF: swap(old, new)}, refused)


MUTANTS = [
    Mutant("other networks", {CONF: swap_like(r"(?s)^@mynetworks = .*?;", "@mynetworks = ('10.0.0.0/8');")}),
    Mutant("no networks", {CONF: swap_like(r"(?s)^@mynetworks = .*?;", "")}),
    Mutant("clients by maps", {CONF: swap_like("^1;$", "@client_ipaddr_policy = ([qw(0.0.0.0/0)] => 'MYNETS');\n1;")}),
    conf("no address", "$inet_socket_bind = '0.0.0.0';\n", ""),
    conf("all addresses", "'0.0.0.0'", "['0.0.0.0', '[::]']"),
    conf("sockets of its own", "$inet_socket_bind = '0.0.0.0';", "@listen_sockets = ('0.0.0.0:13024');", "would listen to other pods"),
    conf("a bank that signs", "'MYNETS'} = { originating => 1,", "'MYNETS'} = { originating => 1, enable_dkim_signing => 1,"),
    conf("signing spelt otherwise", "$enable_dkim_signing = ", "$enable_dkim_signing=!!1 || "),
    conf("spam bounces", "$final_spam_destiny       = ", "$final_spam_destiny = D_BOUNCE; my $other = "),
    conf("one port", "[13024,13026]", "[13024]", "would not listen at port 13026"),
    conf("other ports", "[13024,13026]", "[10024,13026]", "would not listen at port 13024"),
    conf("no bank of our users", "$interface_policy{'13026'} = 'ORIGINATING';", "", "would not count as that of our users"),
    conf("the world is ours", "$interface_policy{'13026'}", "$interface_policy{'13024'} = 'ORIGINATING'; $interface_policy{'13026'}", "13024 would count as that of our users"),
    conf("back by another port", "$forward_method = 'smtp:[POSTFIX_HOST]:13025'", "$forward_method = 'smtp:[POSTFIX_HOST]:10025'", "would not come back to Postfix at port 13025"),
    Mutant("no database", {CONF: swap_like(r"^@lookup_sql_dsn.*$", "")}, "would not ask the database"),
    conf("a word that nobody fills in", "$max_servers  = 2;", "$max_servers = MAX_SERVERS;", 'Bareword "MAX_SERVERS" not allowed'),
    Mutant("another start", {INIT: swap_like("^exec amavisd.*$", 'exec   /usr/sbin/amavisd -c "$CONFIG" foreground')}),
    Mutant("a start that may fail", {INIT: swap_like("^exec amavisd.*$", "amavisd -c $CONFIG foreground || exit 1")}),
    Mutant("a file of another name", {INIT: swap(CONF, "/etc/amavisd/kolab.conf")}, renamed={CONF: "/etc/amavisd/kolab.conf"}),
    Mutant("a start without a file", {INIT: swap_like("^exec amavisd.*$", "exec amavisd foreground")}, "is started without -c"),
    Mutant("another daemon", {INIT: swap_like("^exec amavisd.*$", "exec rspamd -f")}, "hands over to 'rspamd -f'"),
]  # fmt: skip


@pytest.mark.parametrize("mutant", MUTANTS, ids=str)
def test_a_changed_image_is_right_in_effect_or_refused(sandbox: Sandbox, mutant: Mutant) -> None:
    done, understood = rehearse(sandbox, mutant.generation, mutant)
    if mutant.refused:
        assert done.returncode
        assert mutant.refused in done.stdout + done.stderr
    else:
        assert done.returncode == 0, done.stderr
        assert right(understood)
        assert understood["signs"] == []


def test_a_key_that_is_active_and_not_there_stops_amavis(sandbox: Sandbox) -> None:
    mutant = Mutant("no key", {CONF: swap_like(r"^dkim_key\(.*$", "")})
    done, _ = rehearse(sandbox, "a", mutant, stack=SIGNED)
    assert (done.returncode, "no key would sign" in done.stderr) == (70, True)


@pytest.mark.parametrize("name", ["OURS", "ORIGINATING"])
def test_mail_of_our_users_is_signed_whatever_its_bank_is_called(sandbox: Sandbox, name: str) -> None:
    mutant = Mutant("bank", {CONF: swap("'ORIGINATING'", f"'{name}'")})
    _, understood = rehearse(sandbox, "b", mutant, stack=SIGNED)
    assert understood["signs"] == [name]
