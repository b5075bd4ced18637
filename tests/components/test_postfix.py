"""Postfix: relays for nobody, takes bounces, asks the world for no password, and opens no port too early."""

from __future__ import annotations

import contextlib
import re
import shlex
import socket
import stat

import pytest

from components import entry
from model.stack_file import StackFileError
from tests.support.deploy import Workload, deploy
from tests.support.sandbox import Sandbox, talking, wait_for
from tests.support.stacks import changed, deployment

FILES = {
    "/init.sh": "set -e\nmkdir /var/log/kolab\nexec /usr/sbin/postfix -c /etc/postfix start-fg\n",
    "/etc/postfix/main.cf": "",
    "/etc/pki/tls/private/postfix.pem": "certificate key",
    "/kolab/certificate/tls.crt": "certificate ",
    "/kolab/certificate/tls.key": "key",
}
"""What our adjustments rely on (upstream: docker/postfix/rootfs)."""

POSTCONF = """case "$*" in
"-M smtp/unix"|"-M relay/unix"|"-M proxymap/unix") echo "$2" ;;
-M) for port in 10025 10587 127.0.0.1:13025; do echo "$port inet n - n - - smtpd"; done
  for each in cleanup qmgr lmtp error tlsmgr anvil showq; do echo "$each unix - - n - - $each"; done
  echo 'rewrite unix - - n - - trivial-rewrite'; echo 'retry unix - - n - - error'
  for each in bounce defer trace; do echo "$each unix - - n - 0 bounce"; done
  echo 'smtp-amavis unix - - n - 3 smtp'; echo 'policy_spf unix - n n - - spawn user=nobody' ;;
-x) echo 'queue_directory = /var/spool/postfix'; echo 'smtp_tls_security_level = may'; echo 'mydestination = example.org, proxy:mysql:/etc/postfix/sql/mydestination.cf'; echo 'virtual_alias_maps = proxy:mysql:/etc/postfix/sql/aliases.cf'; echo 'smtpd_sender_login_maps = static:all'
  echo 'local_recipient_maps = mysql:/etc/postfix/sql/local_recipient_maps.cf'; echo 'local_transport = lmtp:imap:11024' ;;
-xP) echo '10025/inet/content_filter = smtp-amavis:[127.0.0.1]:13024'; echo '10587/inet/content_filter = smtp-amavis:[127.0.0.1]:13026'
  for list in 10025/inet/smtpd_sender_restrictions 10587/inet/smtpd_recipient_restrictions; do echo "$list = check_policy_service unix:private/policy_spf, permit"; done
  echo '127.0.0.1:13025/inet/smtpd_recipient_restrictions = permit_mynetworks, reject' ;;
"-h virtual_alias_maps") echo '$alias_maps, mysql:/etc/postfix/sql/virtual_alias_maps.cf' ;;
"-Ph 10587/inet/content_filter") echo 'smtp-amavis:[127.0.0.1]:13026' ;;
-n) echo 'local_recipient_maps = mysql:/etc/postfix/sql/local_recipient_maps.cf' ;;
esac"""
"""What the image's postconf answers; tests/components/test_postfix_images.py asks a real one."""

COMMANDS = "/etc/postfix/kolab_commands"
STARTED = "/usr/sbin/postfix -c /etc/postfix start-fg"
PEM = "/etc/pki/tls/private/postfix.pem"


def postfix(name: str = "single-node") -> Workload:
    return deployment(name).workload("postfix")


def file(path: str, name: str = "single-node") -> str:
    return deployment(name).file("postfix", "postfix", f"{entry.PATH}/{path}")


def image(sandbox: Sandbox, name: str = "single-node") -> None:
    """Puts the image's files and commands into the sandbox."""
    for path, text in FILES.items():
        sandbox.put(path, text)
    sandbox.mount(entry.PATH, deployment(name).folder("postfix", "postfix", entry.PATH))
    for command in ("chown", "postfix", "/usr/sbin/postfix"):
        sandbox.command(command)
    sandbox.command("postconf", POSTCONF)
    sandbox.command("postmap", "echo 1")


def environment(name: str = "single-node") -> dict[str, str]:
    return postfix(name).env("postfix") | deployment(name).secret_env("postfix", "postfix")


def start(sandbox: Sandbox, name: str = "single-node") -> Sandbox:
    """Runs the entry script up to the start of Postfix."""
    image(sandbox, name)
    done = sandbox.run(file("entry.sh", name), env=environment(name))
    assert done.returncode == 0, done.stderr
    return sandbox


@pytest.fixture
def started(sandbox: Sandbox) -> Sandbox:
    return start(sandbox)


def test_the_image_starts_postfix_after_its_adjustments(started: Sandbox) -> None:
    assert started.became == STARTED


def test_postfix_starts_again_where_it_ran_before(started: Sandbox) -> None:
    # /var/log/kolab is there already when the folder outlives the container.
    assert start(started).calls.count(STARTED) == 2


def test_only_the_pod_itself_may_relay_through_postfix() -> None:
    for name in ("single-node", "cluster"):
        assert postfix(name).env("postfix")["MYNETWORKS"] == "127.0.0.0/8"


@pytest.mark.parametrize("command", ["AUTH PLAIN AGEAYg==", "auth login", " AUTH\tPLAIN", "AUTH"])
def test_a_password_has_no_meaning_on_port_25(started: Sandbox, command: str) -> None:
    pattern, replacement = started.path(COMMANDS).read_text().rsplit(" ", 1)
    # POSIX's classes are the only thing in it that Python does not know.
    known = pattern.strip("/").replace("[[:space:]]", r"\s")
    assert re.sub(known, replacement, command, flags=re.IGNORECASE).startswith("NO-PASSWORDS-HERE")
    assert re.search(known, "MAIL FROM:<auth@example.org>", re.IGNORECASE) is None


@pytest.mark.parametrize(
    ("smtp", "source", "listens", "sends"),
    [
        ("10.20.0.11", ["198.51.100.3"], "ipv4", "ipv4"),
        (["10.20.0.11", "2001:db8::11"], ["198.51.100.3"], "all", "ipv4"),
        (["10.20.0.11", "2001:db8::11"], ["198.51.100.3", "2001:db8:1::3"], "all", "all"),
        ("10.20.0.11", ["198.51.100.3", "2001:db8:1::3"], "all", "all"),
    ],
)
def test_mail_leaves_by_ipv6_only_from_addresses_that_dns_names(
    sandbox: Sandbox, smtp: object, source: list[str], listens: str, sends: str
) -> None:
    network = {"addresses": {"smtp": smtp}, "egress": {"mode": "gateway", "addresses": source}}
    stack = deploy(changed("cluster", {"network": network}))
    image(sandbox)
    sandbox.mount(entry.PATH, stack.folder("postfix", "postfix", entry.PATH))
    done = sandbox.run(stack.file("postfix", "postfix", f"{entry.PATH}/entry.sh"), env=environment("cluster"))
    assert done.returncode == 0, done.stderr
    assert any(f" inet_protocols={listens} " in call for call in sandbox.calls)
    ways = [call for call in sandbox.calls if "smtp/unix/inet_protocols" in call]
    assert ways == [f"postconf -P smtp/unix/inet_protocols={sends} relay/unix/inet_protocols={sends}"]


def test_mail_to_the_postmaster_reaches_a_mailbox_that_exists(started: Sandbox) -> None:
    aliases = dict(line.split() for line in started.text("/etc/postfix/kolab_aliases").splitlines())
    for local in ("postmaster", "abuse", "dmarc-reports", "tls-reports"):
        assert aliases[f"{local}@example.org"] == "jane@example.org"


def test_every_hosted_domain_has_a_postmaster() -> None:
    aliases = dict(line.split() for line in file("aliases", "cluster").splitlines())
    for domain in ("example.org", "example.net", "example.com"):
        assert {f"postmaster@{domain}", f"abuse@{domain}"} <= aliases.keys()


def test_no_port_opens_before_the_address_ranges_are_imported(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("postmap", "[ -e /tmp/imported ] && echo 1")
    with sandbox.start(file("entry.sh"), env=environment()) as process:
        wait_for(lambda: sum("postmap" in call for call in sandbox.calls) >= 3)
        assert (STARTED in sandbox.calls, process.poll()) == (False, None)
        assert "waiting for data:import" in sandbox.out
        sandbox.put("/tmp/imported", "")
        wait_for(lambda: STARTED in sandbox.calls)


def test_a_database_that_cannot_be_asked_is_waited_for(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("postmap", "[ -e /tmp/answers ] || exit 1\necho 1")
    with sandbox.start(file("entry.sh"), env=environment()):
        wait_for(lambda: sum("postmap" in call for call in sandbox.calls) >= 2)
        sandbox.put("/tmp/answers", "")
        wait_for(lambda: STARTED in sandbox.calls)


def test_the_password_in_the_question_to_the_database_is_closed_to_others(started: Sandbox) -> None:
    question = started.path("/tmp/database.cf")
    assert f"password = {environment()['DB_PASSWORD']}\n" in question.read_text()
    assert stat.S_IMODE(question.stat().st_mode) == 0o600


RESTARTED = ["echo 9", "echo 1"]
SILENT = ["echo 9", "exit 1", "echo 10"]


@pytest.mark.parametrize("answers", [RESTARTED, SILENT], ids=["restarted", "silent for a while"])
def test_a_database_that_is_back_is_asked_at_once(sandbox: Sandbox, answers: list[str]) -> None:
    """Postfix itself would defer all mail for a minute more. A restart may fall between two questions."""
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("postmap", ". /tmp/answer")
    sandbox.command("/usr/sbin/postfix", '[ "$1" = check ] || exec /bin/sleep 300')
    sandbox.put("/tmp/answer", answers[0])
    with sandbox.start(file("entry.sh"), env=environment()):
        wait_for(lambda: STARTED in sandbox.calls)
        reloads = []
        for answer in answers:
            sandbox.renew("/tmp/answer", answer)
            seen = asked(sandbox)
            wait_for(lambda before=seen: asked(sandbox) >= before + 3)
            reloads.append(sandbox.calls.count("postfix reload"))
    assert reloads == [0] * (len(answers) - 1) + [1]


def asked(sandbox: Sandbox) -> int:
    """How often the database was asked so far."""
    return sum("postmap -q" in call for call in sandbox.calls)


def test_a_first_start_may_wait_an_hour_for_the_import() -> None:
    probe = postfix().container("postfix")["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 3600


def test_the_private_key_of_postfix_is_closed_to_others(started: Sandbox) -> None:
    # The image leaves it readable for everybody in the container.
    assert stat.S_IMODE(started.path(PEM).stat().st_mode) == 0o600
    assert f"chown root:root {PEM}.new" in started.calls


def test_a_renewed_certificate_reaches_postfix_without_a_restart(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("/usr/sbin/postfix", '[ "$1" = check ] || exec /bin/sleep 30')
    with sandbox.start(file("entry.sh"), env=environment()):
        wait_for(lambda: STARTED in sandbox.calls)
        sandbox.renew("/kolab/certificate/tls.crt", "renewed ")
        wait_for(lambda: "postfix reload" in sandbox.calls)
    assert sandbox.text(PEM) == "renewed key"
    assert stat.S_IMODE(sandbox.path(PEM).stat().st_mode) == 0o600


SMARTHOST = {"mode": "relay", "host": "relay.example.net", "username": "kolab"}
RELAY = "postconf -P kolab-relay/unix/"


def relay(sandbox: Sandbox) -> dict[str, str]:
    """What was decided about the way to the smarthost."""
    (call,) = (call for call in sandbox.calls if call.startswith(RELAY))
    return dict(word.removeprefix("kolab-relay/unix/").split("=", 1) for word in call.split()[2:])


@pytest.fixture
def relaying(sandbox: Sandbox) -> Sandbox:
    sandbox.put("/etc/pki/tls/certs/ca-bundle.crt", "authorities")
    return start(sandbox, "host-port")


def test_what_is_demanded_of_a_smarthost_is_demanded_of_nobody_else(relaying: Sandbox) -> None:
    # Amavis speaks no TLS: with one level for all of Postfix, every message in and out would wait for ever.
    written = [call for call in relaying.calls if call.startswith("postconf -e ")]
    assert (
        "postconf -e relayhost = [relay.example.net]:587 default_transport = kolab-relay relay_transport = kolab-relay"
        in relaying.calls
    )
    assert not any("=secure" in call or "smtp_sasl" in call for call in written)
    decided = relay(relaying)
    assert (decided["smtp_tls_security_level"], decided["smtp_tls_secure_cert_match"]) == (
        "secure",
        "nexthop",
    )
    assert decided["smtp_tls_CAfile"].endswith("/etc/pki/tls/certs/ca-bundle.crt")


def test_the_smarthosts_password_lies_in_a_file_for_postfix_alone() -> None:
    stack = deployment("host-port")
    text = stack.file("postfix", "postfix", "/kolab/relay/login")
    assert text == "[relay.example.net]:587 kolab:Sentinel0relayPassword0Value\n"
    (volume,) = (each for each in postfix("host-port").pod["volumes"] if each["name"] == "relay")
    assert volume["secret"]["defaultMode"] == 0o400
    for container in postfix("host-port").pod["containers"]:
        mounted = {each["name"] for each in container["volumeMounts"]}
        assert ("relay" in mounted) == (container["name"] == "postfix")
        assert "RELAY_PASSWORD" not in stack.secret_env("postfix", container["name"])


def test_an_image_without_authorities_does_not_start_in_front_of_a_smarthost(sandbox: Sandbox) -> None:
    image(sandbox, "host-port")
    done = sandbox.run(file("entry.sh", "host-port"), env=environment("host-port"))
    assert (done.returncode, STARTED in sandbox.calls) == (70, False)
    assert "nobody vouches for the smarthost" in done.stderr


@pytest.mark.thorough
@pytest.mark.parametrize(
    ("changes", "implicit"),
    [({"port": 465}, "yes"), ({"port": 587}, "no"), ({"port": 2465, "tls": "implicit"}, "yes"), ({"port": 465, "tls": "starttls"}, "no")],
)  # fmt: skip
def test_port_465_speaks_tls_from_the_first_byte(changes: dict[str, object], implicit: str) -> None:
    stack = deploy(changed("single-node", {"network": {"egress": SMARTHOST | changes}}))
    settings = stack.file("postfix", "postfix", f"{entry.PATH}/{entry.SETTINGS}")
    assert f"KOLAB_RELAY_IMPLICIT_TLS={implicit}\n" in settings


@pytest.mark.parametrize(
    "text", ["rubbish", "-----BEGIN PRIVATE KEY-----\nMA==\n-----END PRIVATE KEY-----\n", ""]
)
def test_authorities_that_are_no_certificates_are_refused_at_preview(text: str) -> None:
    with pytest.raises(StackFileError, match=r"network\.egress.*authorities.*certificates in PEM"):
        changed("single-node", {"network": {"egress": SMARTHOST | {"authorities": text}}})


def test_without_a_smarthost_mail_goes_straight_to_its_receiver(started: Sandbox) -> None:
    assert any(" relayhost= default_transport=smtp " in call for call in started.calls)


def test_the_queue_of_each_replica_lies_on_its_own_protected_claim() -> None:
    mounts = {each["mountPath"]: each for each in postfix("cluster").container("postfix")["volumeMounts"]}
    assert [mounts[path]["name"] for path in ("/var/spool/postfix", "/var/lib/postfix")] == ["queue", "queue"]
    assert mounts["/var/spool/postfix"]["subPath"] != mounts["/var/lib/postfix"]["subPath"]
    claims = deployment("cluster").names("PersistentVolumeClaim")
    # The names that a StatefulSet looks for: template, set, ordinal.
    templates = postfix("cluster").object["spec"]["volumeClaimTemplates"]
    for ordinal in range(postfix("cluster").object["spec"]["replicas"]):
        assert {f"{each['metadata']['name']}-postfix-{ordinal}" for each in templates} <= claims


def test_nothing_is_mounted_over_the_folder_of_saslauthds_socket() -> None:
    paths = [each["mountPath"] for each in postfix().container("postfix")["volumeMounts"]]
    assert not any(path == "/run" or path.startswith("/run/") for path in paths)


def test_postfix_has_the_capabilities_that_it_was_tried_with_and_no_more() -> None:
    context = postfix().container("postfix")["securityContext"]
    assert sorted(context["capabilities"]["add"]) == [
        "CHOWN",
        "DAC_OVERRIDE",
        "FOWNER",
        "FSETID",
        "SETGID",
        "SETUID",
    ]
    assert not context.get("privileged")


def test_privileges_grow_for_the_content_filter_alone() -> None:
    # Its pipe hands mail back through setgid postdrop.
    escalation = [
        postfix(name).container("postfix")["securityContext"]["allowPrivilegeEscalation"]
        for name in ("cluster", "full")
    ]
    assert escalation == [False, True]


@pytest.mark.parametrize(
    "name",
    [
        "APP_DOMAIN",
        "APP_SERVICES_DOMAIN",
        "SERVICES_PORT",
        "LMTP_DESTINATION",
        "AMAVIS_HOST",
        "DB_HOST",
        "DB_DATABASE",
        "DB_USERNAME",
        "SSL_CERTIFICATE",
        "SSL_CERTIFICATE_KEY",
    ],
)
def test_no_setting_that_postfix_needs_is_empty(name: str) -> None:
    # Without the first three of them the port opens, and then nobody can log in.
    assert postfix().env("postfix")[name]


def test_the_content_filter_is_on_or_off_in_so_many_words() -> None:
    assert [postfix(name).env("postfix")["WITH_CONTENTFILTER"] for name in ("cluster", "full")] == [
        "false",
        "true",
    ]


def test_a_message_that_the_content_filter_cannot_take_is_refused_at_preview() -> None:
    # The web application takes 10 MiB; what is larger would wait in the queue until it bounces.
    with pytest.raises(StackFileError, match="content-filter-size"):
        changed("cluster", {"mail": {"contentFilter": True, "messageSizeLimit": "11Mi"}})


def ready(sandbox: Sandbox, *, socket_is_there: bool, greeting: str = "220 mail.example.org") -> int:
    """Exit code of the readiness probe."""
    command = postfix().container("postfix")["readinessProbe"]["exec"]["command"]
    folder = sandbox.path("/run/saslauthd")
    folder.mkdir()
    sandbox.port(10587)
    sandbox.mount(entry.PATH, deployment("single-node").folder("postfix", "postfix", entry.PATH))
    with (
        socket.socket(socket.AF_UNIX) as saslauthd,
        talking(sandbox.port(10587), [greeting]),
        # From there its name is short enough for a socket.
        contextlib.chdir(folder),
    ):
        if socket_is_there:
            saslauthd.bind("mux")
        return sandbox.run(shlex.join(command)).returncode


def test_postfix_is_ready_when_it_greets_and_saslauthd_listens(sandbox: Sandbox) -> None:
    assert ready(sandbox, socket_is_there=True) == 0


def test_postfix_without_saslauthd_is_not_ready_though_its_port_is_open(sandbox: Sandbox) -> None:
    assert ready(sandbox, socket_is_there=False) != 0


def test_postfix_that_turns_clients_away_is_not_ready(sandbox: Sandbox) -> None:
    assert ready(sandbox, socket_is_there=True, greeting="421 too many connections") != 0


def test_postfix_runs_only_where_mail_leaves_from_a_known_address() -> None:
    affinity = postfix("cluster").pod["affinity"]["nodeAffinity"]
    terms = affinity["requiredDuringSchedulingIgnoredDuringExecution"]["nodeSelectorTerms"]
    # By name, whatever its labels say: a node's label holds what the machine calls itself.
    assert terms == [
        {"matchFields": [{"key": "metadata.name", "operator": "In", "values": [node]}]}
        for node in ("worker1", "worker2")
    ]


def test_a_changed_setting_of_postfix_rolls_its_pods() -> None:
    def scripts(name: str) -> str:
        volumes = {each["name"]: each for each in postfix(name).pod["volumes"]}
        return str(volumes["entry"]["configMap"]["name"])

    # Both have the same domains and postmaster; the size of messages differs.
    assert file(entry.SETTINGS, "cluster") != file(entry.SETTINGS, "full")
    assert scripts("cluster") != scripts("full")


def test_the_queues_length_is_read_from_the_queue_itself() -> None:
    metrics = postfix().container("metrics")
    assert "--postfix.showq_path=/var/spool/postfix/public/showq" in metrics["args"]
    assert [each["mountPath"] for each in metrics["volumeMounts"]] == ["/var/spool/postfix"]


def test_accepted_mail_waits_when_dns_does_not_know_cyrus(started: Sandbox) -> None:
    """Seen when a node died that ran half of the cluster's DNS: Postfix bounced what it had accepted."""
    path = "/etc/postfix/kolab_verdicts"
    assert any(f" lmtp_delivery_status_filter=regexp:{path} " in call for call in started.calls)
    pattern, verdict = re.fullmatch(r"/(.*)/ (.*)\n", started.text(path)).groups()  # type: ignore[union-attr]
    seen = "5.4.4 unable to look up host imap: Name or service not known"
    assert re.sub(pattern, verdict.replace("$1", r"\1"), seen) == seen.replace("5.4.4", "4.4.3")
    assert not re.search(pattern, "5.1.1 <nobody@example.org>... User unknown")
