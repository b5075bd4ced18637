"""Cyrus: one instance on its volumes, that stops cleanly, and takes no password in the clear from outside."""

from __future__ import annotations

import shlex
import signal
import stat
import subprocess
import sys
import threading
import time

import pytest

from components import entry
from tests.support.cyrus import environment, prepare
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox, talking, wait_for
from tests.support.stacks import deployment

BUNDLE = "/etc/pki/cyrus-imapd/cyrus-imapd.bundle.pem"
STARTED = "/usr/libexec/master -D -p /var/run/master.pid"
MAILBOXES, STATE = "/var/spool/imap", "/var/lib/imap"


def imap(name: str = "single-node") -> Workload:
    return deployment(name).workload("imap")


def script(name: str = "entry.sh") -> str:
    return deployment("single-node").file("imap", "imap", f"{entry.PATH}/{name}")


def image(sandbox: Sandbox) -> None:
    """Puts the image's files and commands into the sandbox. tests/components/test_imap_images.py asks a real Cyrus."""
    prepare(sandbox, deployment("single-node"), "a")
    sandbox.path(STATE).mkdir(parents=True, exist_ok=True)
    sandbox.command("cyr_info", """case "$*" in *conf-all) grep '^[a-z]' /etc/imapd.conf ;; esac""")


def run(sandbox: Sandbox) -> subprocess.CompletedProcess[str]:
    """Runs the entry script up to the start of Cyrus."""
    return sandbox.run(script(), env=environment(deployment("single-node"), "a"))


@pytest.fixture
def started(sandbox: Sandbox) -> Sandbox:
    """A container whose entry script has run up to the start of Cyrus."""
    image(sandbox)
    done = run(sandbox)
    assert done.returncode == 0, done.stderr
    return sandbox


def test_the_image_starts_cyrus_after_its_adjustments(started: Sandbox) -> None:
    assert started.became == STARTED


def test_plaintext_sieve_logins_are_refused_on_the_public_listener(started: Sandbox) -> None:
    (target,) = imap().port("sieve-tls")
    assert f'publicsieve cmd="timsieved" listen=0.0.0.0:{target["containerPort"]} ' in started.text(
        "/etc/cyrus.conf"
    )
    assert "publicsieve_allowplaintext: no\n" in started.text("/etc/imapd.conf")


def test_the_world_reaches_sieve_through_the_public_listener_only() -> None:
    public = deployment("cluster").service("public-sieve")["spec"]["ports"]
    assert [(each["port"], each["targetPort"]) for each in public] == [(4190, "sieve-tls")]


def test_the_public_sieve_listener_speaks_no_old_tls(started: Sandbox) -> None:
    assert "publicsieve_tls_versions: tls1_2 tls1_3\n" in started.text("/etc/imapd.conf")


def test_the_webmail_keeps_its_own_sieve_listener(started: Sandbox) -> None:
    assert ' cmd="timsieved" listen=0.0.0.0:4190 ' in started.text("/etc/cyrus.conf")


def test_the_first_message_of_a_new_user_makes_the_mailbox(started: Sandbox) -> None:
    assert "autocreate_post: 1\n" in started.text("/etc/imapd.conf")


def test_the_bundle_with_the_private_key_is_closed_to_others(started: Sandbox) -> None:
    assert stat.S_IMODE(started.path(BUNDLE).stat().st_mode) == 0o600
    assert f"chown --reference=/var/lib/imap {BUNDLE}.new" in started.calls


def test_a_renewed_certificate_reaches_cyrus_without_a_restart(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command(
        "/usr/libexec/master",
        f"trap 'cat {BUNDLE} > /tmp/seen; echo >> /tmp/seen' HUP; echo $$ > /var/run/master.pid\n"
        "while :; do /bin/sleep 0.02; done",
    )
    with sandbox.start(script(), env=environment(deployment("single-node"), "a")):
        wait_for(lambda: sandbox.path("/var/run/master.pid").exists())
        sandbox.renew("/kolab/certificate/tls.crt", "renewed ")
        wait_for(lambda: sandbox.path("/tmp/seen").exists() and sandbox.text("/tmp/seen").endswith("\n"))
    assert sandbox.text("/tmp/seen") == "renewed key\n"


def test_no_session_meets_half_a_certificate(sandbox: Sandbox) -> None:
    # A disk that takes its time between the two files; new sessions read the bundle whenever they begin.
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("cat", '/bin/cat "$1"; [ $# = 1 ] || { /bin/sleep 0.2; /bin/cat "$2"; }')
    sandbox.command("/usr/libexec/master", "exec /bin/sleep 300")
    bundles: set[str] = set()
    with sandbox.start(script(), env=environment(deployment("single-node"), "a")):
        wait_for(lambda: STARTED in sandbox.calls)
        sandbox.renew("/kolab/certificate/tls.crt", "renewed ")
        wait_for(lambda: bundles.add(sandbox.text(BUNDLE)) or "renewed key" in bundles)  # type: ignore[func-returns-value]
    assert bundles == {"certificate key", "renewed key"}
    assert stat.S_IMODE(sandbox.path(BUNDLE).stat().st_mode) == 0o600
    assert f"chown --reference=/var/lib/imap {BUNDLE}.new" in sandbox.calls


def test_there_is_never_a_second_cyrus_on_the_mailboxes() -> None:
    for name in ("single-node", "cluster"):
        assert (imap(name).kind, imap(name).object["spec"]["replicas"]) == ("StatefulSet", 1)
    modes = {
        claim["metadata"]["name"]: claim["spec"]["accessModes"]
        for claim in deployment("cluster").of_kind("PersistentVolumeClaim")
    }
    assert modes["imap-mailboxes"] == modes["imap-state"] == ["ReadWriteOncePod"]


def test_mail_and_its_state_lie_on_volumes_and_run_is_the_images_own() -> None:
    mounts = {each["mountPath"]: each["name"] for each in imap().container("imap")["volumeMounts"]}
    assert (mounts[MAILBOXES], mounts[STATE]) == ("mailboxes", "state")
    assert not any(path.startswith(("/run", "/var/run")) or path == "/etc" for path in mounts)


def test_cyrus_has_the_capabilities_that_it_was_tried_with_and_no_more() -> None:
    context = imap().container("imap")["securityContext"]
    assert sorted(context["capabilities"]["add"]) == [
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "KILL",
        "SETGID",
        "SETUID",
    ]
    assert (context["allowPrivilegeEscalation"], context["readOnlyRootFilesystem"]) == (False, False)


@pytest.mark.parametrize(
    "name",
    [
        "IMAP_ADMIN_LOGIN",
        "APP_SERVICES_DOMAIN",
        "SERVICES_PORT",
        "SERVERNAME",
        "MAXLOGINS_PER_USER",
        "SSL_CERTIFICATE",
        "SSL_CERTIFICATE_KEY",
        "TLS_SERVER_CA_FILE",
    ],
)
def test_no_setting_that_stops_cyrus_or_its_logins_is_empty(name: str) -> None:
    assert imap().env("imap")[name]


def test_tls_is_offered_to_sieve_clients() -> None:
    assert imap().env("imap")["WITH_TLS"] == "true"


def test_tags_of_the_webmail_are_allowed() -> None:
    assert imap().env("imap")["WITH_TAGS"] == "true"


def probe(sandbox: Sandbox, kind: str) -> int:
    """Exit code of one of the probes."""
    for port in (11143, 11024):
        sandbox.port(port)
    sandbox.mount(entry.PATH, deployment("single-node").folder("imap", "imap", entry.PATH))
    return sandbox.run(shlex.join(imap().container("imap")[kind]["exec"]["command"])).returncode


def test_cyrus_is_ready_when_imap_and_lmtp_answer_as_to_a_client(sandbox: Sandbox) -> None:
    with (
        talking(sandbox.port(11143), ["* OK hello", "a OK done"]),
        talking(sandbox.port(11024), ["220 hello"]),
    ):
        assert probe(sandbox, "readinessProbe") == 0


def test_a_listener_that_only_accepts_connections_is_not_ready(sandbox: Sandbox) -> None:
    with talking(sandbox.port(11143), []), talking(sandbox.port(11024), ["220 hello"]):
        assert probe(sandbox, "readinessProbe") != 0


def test_a_refused_login_shows_that_saslauthd_lives(sandbox: Sandbox) -> None:
    sandbox.command("testsaslauthd", "echo '0: NO \"authentication failed\"'; exit 255")
    with (
        talking(sandbox.port(11143), ["* OK hello", "a OK done"]),
        talking(sandbox.port(11024), ["220 hello"]),
    ):
        assert probe(sandbox, "livenessProbe") == 0


def test_a_dead_saslauthd_is_noticed_though_its_socket_is_there(sandbox: Sandbox) -> None:
    sandbox.command("testsaslauthd", "echo 'connect() : Connection refused' >&2; exit 255")
    with (
        talking(sandbox.port(11143), ["* OK hello", "a OK done"]),
        talking(sandbox.port(11024), ["220 hello"]),
    ):
        assert probe(sandbox, "livenessProbe") != 0


def test_the_liveness_of_cyrus_is_the_script_that_asks_saslauthd() -> None:
    assert imap().container("imap")["livenessProbe"]["exec"]["command"][1] == f"{entry.PATH}/alive.sh"


def test_a_stop_tells_cyrus_itself_and_waits_for_it(sandbox: Sandbox) -> None:
    # Process 1 kills what is left two seconds after its SIGTERM.
    before = imap().container("imap")["lifecycle"]["preStop"]["exec"]["command"]
    assert before[-1] == f"{entry.PATH}/stop.sh"
    slow = "trap '/bin/sleep 0.3; kill $!; echo clean; exit' TERM; /bin/sleep 100 & echo ready; wait"
    with subprocess.Popen(["/bin/bash", "-c", slow], stdout=subprocess.PIPE, text=True) as master:
        assert master.stdout is not None
        assert master.stdout.readline() == "ready\n"
        sandbox.put("/var/run/master.pid", str(master.pid))
        sandbox.quick_sleep()
        # Somebody must take note of its end, or it goes on looking alive to `kill -0`.
        threading.Thread(target=master.wait, daemon=True).start()
        started = time.monotonic()
        sandbox.run(script("stop.sh"))
        assert time.monotonic() - started >= 0.3
        assert master.stdout.readline() == "clean\n"


def test_a_stop_ends_a_master_that_overlooks_the_end_of_its_processes(sandbox: Sandbox) -> None:
    # Before 3.13 it does so while a client waits to be served: three minutes without Cyrus, and then it is killed.
    overlooks = """
import os, signal, time
signal.signal(signal.SIGTERM, lambda *_: None)
if os.fork() == 0:
    os._exit(0)
print("ready", flush=True)
while True:
    time.sleep(0.1)
"""
    with subprocess.Popen([sys.executable, "-c", overlooks], stdout=subprocess.PIPE, text=True) as master:
        assert master.stdout is not None
        assert master.stdout.readline() == "ready\n"
        sandbox.put("/var/run/master.pid", str(master.pid))
        sandbox.quick_sleep()
        threading.Thread(target=master.wait, daemon=True).start()
        try:
            sandbox.run(script("stop.sh"))
            assert master.wait() == -signal.SIGKILL
        finally:
            master.kill()


def test_cyrus_has_minutes_to_stop() -> None:
    assert imap().pod["terminationGracePeriodSeconds"] >= 120


def test_only_postfix_delivers_by_lmtp_which_asks_for_no_password() -> None:
    assert deployment("cluster").clients("imap", 11024) == {"postfix"}


def test_the_plaintext_listeners_of_cyrus_are_for_pods_alone() -> None:
    for port in (11143, 11080, 4190):
        assert "anyone" not in deployment("cluster").clients("imap", port)


def test_only_cyrus_reaches_the_listener_that_relays_for_it() -> None:
    assert deployment("cluster").clients("postfix", 10026) == {"imap"}
    assert "answers" not in {
        port["targetPort"]
        for service in ("public-smtp", "public-proxy")
        for port in deployment("cluster").service(service)["spec"]["ports"]
    }


def test_cyrus_has_a_way_out_whatever_the_image_says(sandbox: Sandbox) -> None:
    image(sandbox)
    settings = sandbox.path("/etc/imapd.conf")
    settings.write_text(settings.read_text() + "smtp_backend: sendmail\nsmtp_host: localhost\n")
    assert run(sandbox).returncode == 0
    lines = sandbox.text("/etc/imapd.conf").splitlines()
    # Cyrus does not start when an option is there twice.
    assert [line for line in lines if line.startswith("smtp")] == [
        "smtp_backend: host",
        "smtp_host: 127.0.0.1:10026/noauth",
    ]
