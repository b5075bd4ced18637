"""Meet: the ports that browsers are told are the ports that are open."""

from __future__ import annotations

import http.server
import shlex
import shutil
import threading

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment


def meet(name: str = "cluster") -> Workload:
    return deployment(name).workload("meet")


def media() -> set[tuple[int, str]]:
    ports = meet().container("meet")["ports"]
    return {(each["containerPort"], each["protocol"]) for each in ports if each["name"].startswith("media")}


def test_meet_opens_exactly_the_ports_of_its_workers() -> None:
    # One per worker, and one worker per CPU of the node unless told.
    assert meet().env("meet")["MEDIASOUP_NUM_WORKERS"] == "2"
    assert media() == {(port, protocol) for port in (44444, 44445) for protocol in ("TCP", "UDP")}


def test_browsers_reach_each_media_port_under_its_own_number() -> None:
    public = deployment("cluster").service("public-meet")["spec"]["ports"]
    assert {(each["port"], each["protocol"]) for each in public} == media()
    for each in public:
        (port,) = meet().port(each["targetPort"])
        assert (port["containerPort"], port["protocol"]) == (each["port"], each["protocol"])


def test_browsers_are_told_the_address_that_the_world_uses() -> None:
    assert meet().env("meet")["WEBRTC_ANNOUNCED_ADDRESS"] == "192.0.2.14"


def test_the_web_application_is_told_at_its_public_name_without_a_turn_outside() -> None:
    assert meet().env("meet")["WEBHOOK_URL"] == "https://example.org/api/webhooks/meet"
    assert meet().pod["hostAliases"] == [{"ip": "10.20.0.10", "hostnames": ["example.org"]}]


def test_both_sides_know_the_same_tokens() -> None:
    stack = deployment("cluster")
    server, client = stack.secret_env("meet", "meet"), stack.secret_env("webapp", "webapp")
    assert (server["AUTH_TOKEN"], server["WEBHOOK_TOKEN"]) == (
        client["MEET_SERVER_TOKEN"],
        client["MEET_WEBHOOK_TOKEN"],
    )


def test_the_published_default_secret_of_the_relay_is_never_used() -> None:
    assert deployment("cluster").secret_env("meet", "meet")["TURN_STATIC_SECRET"]


def test_browsers_are_sent_to_a_websocket_with_tls() -> None:
    env = meet().env("meet")
    assert (env["SSL_CERT"], env["FORCE_WSS"], env["PUBLIC_DOMAIN"]) == ("none", "true", "example.org")


def test_rooms_are_never_split_between_two_pods() -> None:
    spec = meet().object["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_root_in_this_image_can_do_nothing() -> None:
    context = meet().container("meet")["securityContext"]
    assert (context["capabilities"], context["allowPrivilegeEscalation"]) == ({"drop": ["ALL"]}, False)


class _Meet(http.server.BaseHTTPRequestHandler):
    """Answers as Meet: to whoever shows the token."""

    def do_GET(self) -> None:
        known = (self.path, self.headers["X-Auth-Token"]) == ("/meetmedia/api/ping", "token")
        self.send_response(200 if known else 403)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.mark.parametrize(("token", "ready"), [("token", True), ("wrong", False)])
def test_the_probe_shows_the_token_and_the_pods_spec_does_not(
    sandbox: Sandbox, token: str, ready: bool
) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("node is not installed: apt-get install nodejs")
    _, *script = meet().container("meet")["readinessProbe"]["exec"]["command"]
    env = meet().env("meet") | {"AUTH_TOKEN": token}
    sandbox.port(12080)
    sandbox.mount(entry.PATH, deployment("cluster").folder("meet", "meet", entry.PATH))
    with http.server.ThreadingHTTPServer(("127.0.0.1", sandbox.port(12080)), _Meet) as server:
        threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
        done = sandbox.run(shlex.join([node, *script]), env=env)
        server.shutdown()
    assert (done.returncode == 0) is ready
    assert deployment("cluster").sentinels["meetServerToken"] not in str(meet().template)
