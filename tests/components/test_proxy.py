"""The proxy, by real requests to a real nginx: what reaches whom, and what reaches nobody."""

from __future__ import annotations

import base64
import socket
import ssl
from collections.abc import Iterator

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.nginx import EITHER, Proxy, init_of, prepare, renew, running, unverified
from tests.support.sandbox import PATIENCE, Sandbox, wait_for
from tests.support.stacks import deployment


def workload(name: str = "cluster") -> Workload:
    return deployment(name).workload("proxy")


@pytest.fixture(scope="module", params=EITHER)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of the stack `cluster`, in either generation of Kolab's images."""
    folder = tmp_path_factory.mktemp("proxy")
    with running(Sandbox(folder / "root"), deployment("cluster"), init_of(request.param)) as made:
        yield made


@pytest.fixture(scope="module")
def bare(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of a stack without any optional part, and without an MTA-STS policy."""
    with running(Sandbox(tmp_path_factory.mktemp("bare") / "root"), deployment("bare")) as made:
        yield made


PATHS = {
    "/": "webapp",
    "/login": "webapp",
    "/api/v4/user": "webapp",
    "/oauth/authorize": "webapp",
    "/oauth/token": "webapp",
    "/oauth/userinfo": "webapp",
    "/.well-known/openid-configuration": "webapp",
    "/.well-known/autoconfig/mail/config-v1.1.xml": "webapp",
    "/mail/config-v1.1.xml": "webapp",
    "/autodiscover/autodiscover.xml": "webapp",
    "/autodiscover/autodiscover.json/v1.0/jane@example.org": "webapp",
    "/api/webhooks/meet": "webapp",
    "/api/webhooks/payment/stripe": "webapp",
    "/webmail/": "roundcube",
    "/chwala/api/": "roundcube",
    "/Microsoft-Server-ActiveSync": "roundcube",
    "/dav/calendars/user/jane@example.org": "imap",
    "/freebusy/user/jane@example.org": "imap",
    "/.well-known/caldav": "imap",
    "/.well-known/carddav": "imap",
    "/browser/dist/cool.html": "collabora",
    "/hosting/discovery": "collabora",
    "/hosting/capabilities": "collabora",
    "/cool/any/ws": "collabora",
    "/lool/any": "collabora",
    "/meetmedia/signaling": "meet",
    "/meetmedia/api/ping": "meet",
}
"""Paths of Kolab's endpoint table, and who answers them."""


@pytest.mark.parametrize(("path", "backend"), PATHS.items())
def test_every_documented_path_reaches_its_backend(proxy: Proxy, path: str, backend: str) -> None:
    answer = proxy.get(path)
    assert answer.status == 200
    assert answer.asked["backend"] == backend
    assert answer.asked["path"] == path


@pytest.mark.parametrize("host", ["example.org", "admin.example.org", "reseller.example.org"])
def test_the_application_sees_the_host_that_the_client_asked_for(proxy: Proxy, host: str) -> None:
    assert proxy.get("/", host=host).asked["headers"]["Host"] == host  # type: ignore[index]


@pytest.mark.parametrize(
    "host", ["webapp", "webapp:8000", "kolab", "services.example.org", "192.0.2.10", "evil.example"]
)
def test_a_foreign_host_is_misdirected(proxy: Proxy, host: str) -> None:
    assert proxy.get("/", host=host).status == 421


@pytest.mark.parametrize(
    "host", ["mta-sts.example.net", "autoconfig.example.com", "autodiscover.example.org", "EXAMPLE.ORG"]
)
def test_each_of_our_own_hosts_is_answered(proxy: Proxy, host: str) -> None:
    assert proxy.get("/", host=host).status == 200


@pytest.mark.parametrize(
    "path",
    [
        "/api/webhooks/nginx",
        "/api/webhooks/nginx-roundcube",
        "/api/webhooks/nginx-httpauth",
        "/api/webhooks/cyrus-sasl",
        "/api/webhooks/cyrus-sasl/",
        "/api/webhooks/policy/submission",
        "/api/webhooks/metrics",
        "/api/webhooks/",
        "/API/Webhooks/nginx",
        "/api//webhooks/nginx",
        "/api/webhooks/meet/../nginx",
        "/api/webhooks/meetings",
        "/api/webhook%73/nginx",
    ],
)
def test_internal_hooks_are_refused_from_outside(proxy: Proxy, path: str) -> None:
    assert proxy.get(path).status == 403


@pytest.mark.parametrize("path", ["/horizon", "/horizon/", "/horizon/api/jobs", "/Horizon"])
@pytest.mark.parametrize("host", ["example.org", "admin.example.org"])
def test_the_dashboard_that_lets_everybody_in_is_closed(proxy: Proxy, path: str, host: str) -> None:
    assert proxy.get(path, host=host).status == 403


def test_the_application_is_told_the_address_of_the_client(proxy: Proxy) -> None:
    headers = proxy.get("/", headers={"X-Forwarded-For": "203.0.113.9"}).asked["headers"]
    assert headers["X-Real-IP"] == "127.0.0.1"  # type: ignore[index]
    assert headers["X-Forwarded-For"] == "127.0.0.1"  # type: ignore[index]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("/roundcubemail", "/webmail"),
        ("/roundcubemail/", "/webmail/"),
        ("/roundcubemail/?_task=mail&_mbox=INBOX", "/webmail/?_task=mail&_mbox=INBOX"),
    ],
)
def test_the_images_own_webmail_path_leads_to_ours(proxy: Proxy, old: str, new: str) -> None:
    # Without a host: nginx would name the port that it listens on, which nobody reaches.
    answer = proxy.get(old)
    assert (answer.status, answer.headers["Location"]) == (301, new)


def test_no_port_of_a_backend_is_named_to_the_world(proxy: Proxy) -> None:
    answer = proxy.get("/dav/principals/")
    assert answer.status == 200
    assert "Alt-Svc" not in answer.headers


def test_the_mta_sts_policy_is_served_byte_for_byte(proxy: Proxy) -> None:
    served = deployment("cluster").file("proxy", "proxy", "/kolab/mta-sts/mta-sts.txt").encode()
    for domain in ("example.org", "example.net", "example.com"):
        answer = proxy.get("/.well-known/mta-sts.txt", host=f"mta-sts.{domain}")
        assert (answer.status, answer.headers["Content-Type"]) == (200, "text/plain")
        assert answer.body == served
    assert b"mx: mx.example.org\r\n" in served


def test_without_a_policy_nobody_makes_one_up(bare: Proxy) -> None:
    assert bare.get("/.well-known/mta-sts.txt").status == 410


def test_port_80_redirects_and_does_nothing_else(proxy: Proxy) -> None:
    answer = proxy.get("/webmail/?a=b", port=6081)
    assert (answer.status, answer.headers["Location"]) == (301, "https://example.org/webmail/?a=b")
    public = deployment("cluster").service("public-proxy")["spec"]["ports"]
    (target,) = (each["targetPort"] for each in public if each["port"] == 80)
    assert [each["containerPort"] for each in workload().port(target)] == [6081]


@pytest.mark.parametrize(
    ("path", "backend"),
    [("/prometheus", "prometheus"), ("/alertmanager/", "alertmanager"), ("/select/vmui/", "victorialogs")],
)
def test_monitoring_asks_for_the_operators_password(proxy: Proxy, path: str, backend: str) -> None:
    password = deployment("cluster").sentinels["monitoringPassword"]

    def login(secret: str) -> dict[str, str]:
        return {"Authorization": f"Basic {base64.b64encode(f'operator:{secret}'.encode()).decode()}"}

    assert proxy.get(path).status == 401
    assert proxy.get(path, headers=login("wrong")).status == 401
    asked = proxy.get(path, headers=login(password)).asked
    assert (asked["backend"], asked["path"]) == (backend, path)
    assert "Authorization" not in asked["headers"]  # type: ignore[operator]


def test_an_attachment_passes_on_every_way_to_a_mailbox(proxy: Proxy) -> None:
    # nginx takes 1 MB unless told.
    for path in ("/webmail/", "/chwala/api/", "/dav/calendars/x", "/Microsoft-Server-ActiveSync"):
        assert proxy.get(path, body=b"x" * 2**21).status == 200


def secure(proxy: Proxy, port: int, context: ssl.SSLContext | None = None) -> ssl.SSLSocket:
    """A TLS connection to a port of the proxy."""
    plain = socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), timeout=PATIENCE)
    try:
        return (context or unverified()).wrap_socket(plain)
    except ssl.SSLError:
        plain.close()
        raise


def test_what_is_larger_than_a_message_may_be_is_refused(proxy: Proxy) -> None:
    limit = 50 * 2**20 * 3 // 2
    with secure(proxy, 6443) as client:
        head = f"PUT /webmail/ HTTP/1.1\r\nHost: example.org\r\nContent-Length: {limit + 1}\r\n\r\n"
        client.sendall(head.encode())
        assert client.recv(64).startswith(b"HTTP/1.1 413")


def test_health_is_answered_to_whoever_names_the_website(proxy: Proxy) -> None:
    probe = workload().container("proxy")["readinessProbe"]["httpGet"]
    (host,) = (each["value"] for each in probe["httpHeaders"] if each["name"] == "Host")
    assert proxy.get(probe["path"], host=host, port=6080).status == 200


def test_parts_that_are_switched_off_do_not_stop_the_proxy(bare: Proxy) -> None:
    assert bare.get("/meetmedia/api/ping").status == 403
    assert bare.get("/hosting/discovery").status == 403


def test_activesync_that_is_switched_off_is_closed(bare: Proxy) -> None:
    assert bare.get("/Microsoft-Server-ActiveSync").status == 403


def test_without_monitoring_its_paths_are_nobodys(bare: Proxy) -> None:
    assert bare.get("/prometheus").asked["backend"] == "webapp"


def greeting(proxy: Proxy, port: int, *lines: str) -> list[str]:
    """What a mail client reads: the greeting, then one answer of any length to each line."""
    with socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), timeout=PATIENCE) as client:
        answers = [client.recv(4096).decode()]
        for line in lines:
            client.sendall(f"{line}\r\n".encode())
            answers.append(client.recv(4096).decode())
    return answers


def test_imap_takes_no_password_before_starttls(proxy: Proxy) -> None:
    _, capabilities, refused = greeting(proxy, 6143, "a CAPABILITY", "b LOGIN jane secret")
    assert ("STARTTLS" in capabilities, "LOGINDISABLED" in capabilities) == (True, True)
    assert refused.startswith("b BAD")


def test_submission_takes_no_password_before_starttls(proxy: Proxy) -> None:
    _, capabilities, refused = greeting(proxy, 6587, "EHLO client.example", "AUTH PLAIN AGphbmUAc2VjcmV0")
    assert ("STARTTLS" in capabilities, "AUTH" in capabilities) == (True, False)
    assert refused.startswith("5")


@pytest.mark.parametrize("port", [6993, 6465])
@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_mail_clients_may_speak_tls_1_2_and_1_3(proxy: Proxy, port: int, version: ssl.TLSVersion) -> None:
    context = unverified()
    context.minimum_version = context.maximum_version = version
    with secure(proxy, port, context) as client:
        assert client.version() == {"TLSv1_2": "TLSv1.2", "TLSv1_3": "TLSv1.3"}[version.name]


def test_a_cipher_without_forward_secrecy_is_refused(proxy: Proxy) -> None:
    context = unverified()
    context.maximum_version = ssl.TLSVersion.TLSv1_2
    context.set_ciphers("AES256-GCM-SHA384:AES128-SHA")
    with pytest.raises(ssl.SSLError), secure(proxy, 6993, context):
        pass


def test_the_port_that_believes_announced_addresses_is_reachable_by_nobody() -> None:
    # 6144: any peer may announce any client address there.
    assert not any(port["containerPort"] == 6144 for port in workload().container("proxy")["ports"])
    assert deployment("cluster").clients("proxy", 6144) == set()


def common_name(proxy: Proxy) -> str:
    with secure(proxy, 6993) as client:
        found = client.getpeercert(binary_form=True)
    assert found is not None
    return "renewed" if b"renewed.example" in found else "first"


def test_a_renewed_certificate_is_shown_without_a_restart(tmp_path_factory: pytest.TempPathFactory) -> None:
    sandbox = Sandbox(tmp_path_factory.mktemp("renewed") / "root")
    with running(sandbox, deployment("bare")) as own:
        assert common_name(own) == "first"
        renew(sandbox, "renewed.example")
        wait_for(lambda: common_name(own) == "renewed")


def shown(proxy: Proxy, host: str) -> bytes:
    """The certificate that a browser sees which asks for this host."""
    plain = socket.create_connection(("127.0.0.1", proxy.sandbox.port(6443)), timeout=PATIENCE)
    with unverified().wrap_socket(plain, server_hostname=host) as client:
        return client.getpeercert(binary_form=True) or b""


def test_a_hosted_domain_shows_its_own_certificate_and_a_renewal_needs_no_reload(proxy: Proxy) -> None:
    renew(proxy.sandbox, "theirs.example", "/kolab/domains/example.net")
    for host in ("mta-sts.example.net", "autoconfig.example.net", "AUTODISCOVER.example.net"):
        assert b"theirs.example" in shown(proxy, host)
    renew(proxy.sandbox, "later.example", "/kolab/domains/example.net")
    assert b"later.example" in shown(proxy, "mta-sts.example.net")
    assert b"first.example" in shown(proxy, "example.org")
    assert b"first.example" in shown(proxy, "mta-sts.example.org")


def test_a_domain_without_its_certificate_turns_away_its_own_names_alone(proxy: Proxy) -> None:
    with pytest.raises((ssl.SSLError, ConnectionError)):
        shown(proxy, "mta-sts.example.com")
    assert b"first.example" in shown(proxy, "admin.example.org")
    assert b"first.example" in shown(proxy, "stranger.example")


def test_a_stop_lets_open_sessions_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    stop = deployment("bare").file("proxy", "proxy", f"{entry.PATH}/stop.sh")
    assert (
        workload().container("proxy")["lifecycle"]["preStop"]["exec"]["command"][-1]
        == f"{entry.PATH}/stop.sh"
    )
    sandbox = Sandbox(tmp_path_factory.mktemp("stop") / "root")
    with running(sandbox, deployment("bare")) as own:
        port = own.sandbox.port(6143)
        with socket.create_connection(("127.0.0.1", port), timeout=PATIENCE) as session:
            assert session.recv(4096)
            with sandbox.start(stop) as stopping:
                wait_for(lambda: not open_at(port))
                assert stopping.poll() is None
                session.sendall(b"a LOGOUT\r\n")
                assert b"BYE" in session.recv(4096)
                assert stopping.wait(PATIENCE) == 0


def open_at(port: int) -> bool:
    try:
        socket.create_connection(("127.0.0.1", port), timeout=PATIENCE).close()
    except ConnectionError:
        return False
    return True


def test_two_proxies_are_never_both_away() -> None:
    assert workload().object["spec"]["strategy"]["rollingUpdate"]["maxUnavailable"] == 0
    assert deployment("cluster").get("PodDisruptionBudget", "proxy")["spec"]["maxUnavailable"] == 1


def test_ports_of_the_node_are_free_before_the_next_proxy_starts() -> None:
    assert workload("host-port").object["spec"]["strategy"]["rollingUpdate"] == {
        "maxUnavailable": 1,
        "maxSurge": 0,
    }


def test_the_key_is_read_by_the_proxys_group_and_by_nobody_else() -> None:
    (volume,) = (each for each in workload().pod["volumes"] if each["name"] == "certificate")
    assert volume["secret"]["defaultMode"] == 0o440
    assert workload().pod["securityContext"]["fsGroup"] == 1001


def test_an_ingress_controller_alone_is_believed_about_the_client(sandbox: Sandbox) -> None:
    prepare(sandbox, deployment("full"))
    text = sandbox.text("/etc/nginx/conf.d/kolab.conf")
    assert [line for line in text.splitlines() if line.startswith(("set_real_ip", "real_ip"))] == [
        "set_real_ip_from 10.42.7.0/24;",
        "real_ip_header X-Forwarded-For;",
        "real_ip_recursive on;",
    ]
    assert "set_real_ip_from" not in deployment("cluster").file(
        "proxy", "proxy", "/etc/nginx/conf.d/kolab.conf"
    )


def test_an_ordinary_request_leaves_no_warning_in_the_log(proxy: Proxy) -> None:
    for path in ("/", "/health", "/webmail/", "/.well-known/mta-sts.txt"):
        proxy.get(path)
    said = proxy.sandbox.err + proxy.sandbox.out
    assert "using uninitialized" not in said
