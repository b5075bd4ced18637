"""Amavis: lives in Postfix's pod, signs with the mounted key, and for nobody but this pod."""

from __future__ import annotations

import shlex
import subprocess

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox, talking, wait_for
from tests.support.stacks import deployment

START = "exec amavisd -c $CONFIG foreground"
NETWORKS = "                  10.0.0.0/8 172.16.0.0/12 192.168.0.0/16 );"
BIND = "$inet_socket_bind = '0.0.0.0';"
SIGNING = "$enable_dkim_signing = 1;    # load DKIM signing code, keys defined by dkim_key"
CONF = "/etc/amavisd/amavisd.conf"
FILES = {
    "/init.sh": f"set -e\nCONFIG={CONF}\n{START}\n",
    CONF: f"@mynetworks = qw( 127.0.0.0/8\n{NETWORKS}\n{BIND}\n{SIGNING}\n",
}
"""What our adjustments rely on (upstream: docker/amavis/rootfs)."""

CONTRACT = [("/init.sh", START), (CONF, NETWORKS), (CONF, BIND), (CONF, SIGNING)]
UNSIGNED = "single-node"
"""Its only key is published, not active yet."""
SIGNED = "cluster"


def pod(name: str = SIGNED) -> Workload:
    return deployment(name).workload("postfix")


def script(name: str = SIGNED) -> str:
    return deployment(name).file("postfix", "amavis", f"{entry.PATH}/entry.sh")


def image(sandbox: Sandbox, without: tuple[str, str] = ("", ""), name: str = SIGNED) -> None:
    file, line = without
    sandbox.mount(entry.PATH, deployment(name).folder("postfix", "amavis", entry.PATH))
    for path, text in FILES.items():
        sandbox.put(path, text.replace(f"{line}\n", ":\n") if path == file else text)
    for command in ("amavisd", "sa-update"):
        sandbox.command(command)


@pytest.fixture
def started(sandbox: Sandbox) -> Sandbox:
    image(sandbox)
    done = sandbox.run(script())
    assert done.returncode == 0, done.stderr
    return sandbox


def test_the_image_starts_amavis_after_its_adjustments(started: Sandbox) -> None:
    assert started.calls[-1] == f"amavisd -c {CONF} foreground"


@pytest.mark.parametrize("line", CONTRACT, ids=["start", "networks", "bind", "signing"])
def test_an_amavis_image_that_lacks_a_line_does_not_start(sandbox: Sandbox, line: tuple[str, str]) -> None:
    image(sandbox, without=line, name=UNSIGNED)
    done = sandbox.run(script(UNSIGNED))
    assert (done.returncode, sandbox.calls) == (70, [])
    assert done.stderr.startswith("entry: expected 1 line(s)")


def test_amavis_is_a_container_of_postfixs_pod() -> None:
    # The image turns away clients that are neither 127.0.0.1 nor in 172.16/12.
    assert [each["name"] for each in pod().containers][:2] == ["postfix", "amavis"]
    assert (pod().env("postfix")["AMAVIS_HOST"], pod().env("amavis")["POSTFIX_HOST"]) == (
        "127.0.0.1",
        "127.0.0.1",
    )
    assert "amavis" not in {each.name for each in deployment(SIGNED).workloads}


def test_mail_from_other_pods_is_not_signed_as_ours(started: Sandbox) -> None:
    networks = started.text(CONF).split("@mynetworks", 1)[1].split(";", 1)[0]
    assert not any(private in networks for private in ("10.0.0.0", "172.16.0.0", "192.168.0.0"))


def test_amavis_listens_inside_the_pod_only(started: Sandbox) -> None:
    assert "$inet_socket_bind = '127.0.0.1';" in started.text(CONF)


def test_a_database_that_went_silent_is_not_waited_for(started: Sandbox) -> None:
    """Its node lost its power: no connection is closed, and nothing would ever be answered."""
    given = "@lookup_sql_dsn = (['DBI:mysql:database=kolabdev;host=mariadb', 'user', 'password']);"
    added = started.text(CONF).partition(f"{SIGNING}\n")[2]
    perl = f"our {given}\n{added}print $lookup_sql_dsn[0][0];"
    dsn = subprocess.run(["perl", "-e", perl], capture_output=True, text=True, check=True).stdout
    assert dsn.startswith("DBI:mysql:database=kolabdev;host=mariadb;")
    assert "mysql_read_timeout=10" in dsn.split(";")
    assert added.endswith("\n1;\n"), "amavisd takes a configuration whose last value is false for broken"


def test_the_dkim_key_file_has_the_name_amavis_looks_for() -> None:
    env = pod().env("amavis")
    expected = f"/var/dkim/{env['APP_DOMAIN']}.{env['DKIM_IDENTIFIER']}.pem"
    assert expected == "/var/dkim/example.org.k202605.pem"
    assert deployment(SIGNED).file("postfix", "amavis", expected) == "Sentinel0dkimKey-k2026050Value"


def test_the_dkim_key_can_be_read_after_root_is_dropped() -> None:
    (volume,) = (each for each in pod().pod["volumes"] if each["name"] == "dkim")
    assert volume["secret"]["defaultMode"] == 0o444


def test_a_key_is_mounted_before_it_signs_so_that_amavis_makes_none_of_its_own() -> None:
    identifier = pod(UNSIGNED).env("amavis")["DKIM_IDENTIFIER"]
    assert deployment(UNSIGNED).file("postfix", "amavis", f"/var/dkim/example.org.{identifier}.pem")


def test_nothing_is_signed_before_a_key_is_active(sandbox: Sandbox) -> None:
    image(sandbox, name=UNSIGNED)
    sandbox.run(script(UNSIGNED))
    assert "$enable_dkim_signing = 0;" in sandbox.text(CONF)


def test_the_active_key_signs(started: Sandbox) -> None:
    assert SIGNING in started.text(CONF)


def test_each_selector_has_a_secret_of_its_own_that_cannot_vanish() -> None:
    keys = [
        each
        for each in deployment(SIGNED).resources
        if each.name in ("postfix-dkim-k202605", "postfix-dkim-k202611")
    ]
    assert [(each.protect, len(each.delete_hooks)) for each in keys] == [(True, 1), (True, 1)]


def test_the_virus_scanner_is_switched_by_a_word_that_is_a_command() -> None:
    assert [pod(name).env("amavis")["CLAMD"] for name in ("cluster", "full")] == ["false", "true"]


def test_the_virus_scanner_gets_the_memory_that_it_needs() -> None:
    limits = [pod(name).container("amavis")["resources"]["limits"]["memory"] for name in ("cluster", "full")]
    assert limits == ["1Gi", "3Gi"]


def test_spam_rules_are_updated_every_day(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("amavisd", '[ "$3" = reload ] || exec /bin/sleep 30')
    with sandbox.start(script()):
        wait_for(lambda: f"amavisd -c {CONF} reload" in sandbox.calls)
    assert "sleep 86400" in sandbox.calls


def test_nothing_new_means_no_reload(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("sa-update", "exit 1")
    sandbox.command("amavisd", '[ "$3" = reload ] || exec /bin/sleep 30')
    with sandbox.start(script()):
        wait_for(lambda: sandbox.calls.count("sa-update") >= 2)
    assert f"amavisd -c {CONF} reload" not in sandbox.calls


def test_rules_and_signatures_outlive_the_pod() -> None:
    mounts = {each["mountPath"]: each["name"] for each in pod().container("amavis")["volumeMounts"]}
    assert mounts["/var/lib/spamassassin"] == mounts["/var/lib/clamav"] == "filters"


def test_a_first_start_may_take_the_time_of_its_downloads() -> None:
    probe = pod().container("amavis")["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 1200


def test_amavis_has_the_capabilities_that_it_was_tried_with_and_no_more() -> None:
    context = pod().container("amavis")["securityContext"]
    assert sorted(context["capabilities"]["add"]) == ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"]
    assert context["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize(
    "name", ["APP_DOMAIN", "POSTFIX_HOST", "DKIM_IDENTIFIER", "DB_HOST", "DB_DATABASE", "DB_USERNAME"]
)
def test_no_setting_that_amavis_needs_is_empty(name: str) -> None:
    assert pod().env("amavis")[name]


def test_amavis_is_ready_when_both_of_its_ports_answer(sandbox: Sandbox) -> None:
    command = shlex.join(pod().container("amavis")["readinessProbe"]["exec"]["command"])
    inbound, originating = sandbox.port(13024), sandbox.port(13026)
    sandbox.mount(entry.PATH, deployment(SIGNED).folder("postfix", "amavis", entry.PATH))
    with talking(inbound, ["220 amavis"]), talking(originating, ["220 amavis"]):
        assert sandbox.run(command).returncode == 0
    with talking(inbound, ["220 amavis"]):
        assert sandbox.run(command).returncode != 0
