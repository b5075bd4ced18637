"""The proxy's images of today, of tomorrow, and some that nobody has published: right in effect, or refused with a sentence.

Each is run for real: its init, our scripts, nginx, and backends that write down how they were asked.
"""

from __future__ import annotations

import hashlib
import re
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from components import entry
from tests.support.images import Mutant, changed_files, without
from tests.support.mutants import MUTANTS
from tests.support.mutants.proxy import INIT
from tests.support.nginx import (
    GENERATIONS,
    LOCKED,
    Proxy,
    init_of,
    prepare,
    running,
    unverified,
)
from tests.support.sandbox import PATIENCE, Sandbox
from tests.support.stacks import deployment

pytestmark = pytest.mark.thorough

B = init_of(GENERATIONS[1])


@pytest.fixture(scope="module", params=GENERATIONS)
def proxy(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of the stack `bare`."""
    folder = tmp_path_factory.mktemp("generation")
    with running(Sandbox(folder / "root"), deployment("bare"), init_of(request.param)) as made:
        yield made


CALENDAR = "/dav/calendars/user/jane%40example.org/M%C3%BCll%20abholen/a%2Fb+c.ics?x=%2F&y=a%20b"


@pytest.mark.parametrize("method", ["PUT", "REPORT"])
@pytest.mark.parametrize(
    "path",
    [CALENDAR, "/dav/", "/.well-known/caldav", "/.well-known/CardDAV", "/freebusy/user/jane@example.org?a=b"],
)
def test_what_is_asked_about_calendars_reaches_cyrus_whole(proxy: Proxy, method: str, path: str) -> None:
    body = b"BEGIN:VCALENDAR\r\n" * 1000
    answer = proxy.get(path, method=method, body=body, headers={"Depth": "1"})
    assert answer.status == 200
    asked = answer.asked
    assert (asked["backend"], asked["method"], asked["path"]) == ("imap", method, path)
    assert asked["body"] == hashlib.sha256(body).hexdigest()
    headers = asked["headers"]
    assert isinstance(headers, dict)
    assert (headers["Host"], headers["Depth"]) == (proxy.website, "1")


@pytest.fixture(scope="module")
def newer(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """The proxy of the stack `bare`, of generation B."""
    with running(Sandbox(tmp_path_factory.mktemp("newer") / "root"), deployment("bare"), B) as made:
        yield made


def test_a_newer_image_asks_the_application_before_each_request_for_calendars(newer: Proxy) -> None:
    newer.asked.clear()
    newer.get(CALENDAR, headers={"Authorization": "Basic eDp5", "X-Real-IP": "203.0.113.9"})
    hook, request = newer.asked
    headers = hook["headers"]
    assert isinstance(headers, dict)
    assert (hook["backend"], hook["path"]) == ("webapp", "/api/webhooks/nginx-httpauth")
    # Under its name inside alone does the application answer hooks; the address is where one may log in from.
    assert (headers["Host"], headers["X-Real-IP"]) == ("webapp", "127.0.0.1")
    assert (headers["Authorization"], headers["X-Original-URI"]) == ("Basic eDp5", CALENDAR)
    assert request["backend"] == "imap"


def test_whom_the_application_refuses_reaches_no_calendar(newer: Proxy) -> None:
    newer.asked.clear()
    assert newer.get(CALENDAR, headers={"Authorization": LOCKED}).status == 403
    assert [asked["backend"] for asked in newer.asked] == ["webapp"]


def test_nobody_asks_that_question_from_outside(newer: Proxy) -> None:
    newer.asked.clear()
    for path in ("/auth", "/AUTH", "//auth", "/api/webhooks/nginx-httpauth"):
        newer.get(path, headers={"Authorization": "Basic eDp5"})
    assert [asked["path"] for asked in newer.asked if "nginx-httpauth" in str(asked["path"])] == []


def init(mutant: Mutant) -> str:
    """The init of an image that somebody has changed."""
    return changed_files("proxy", mutant)[INIT]


@pytest.mark.parametrize("mutant", [each for each in MUTANTS["proxy"] if not each.refused], ids=str)
def test_an_image_that_writes_it_otherwise_is_right_in_effect(mutant: Mutant, tmp_path: Path) -> None:
    with running(Sandbox(tmp_path / "root"), deployment("bare"), init(mutant)) as proxy:
        for path, backend in (
            ("/dav/a/b.ics", "imap"),
            ("/.well-known/caldav", "imap"),
            ("/", "webapp"),
            ("/webmail/", "roundcube"),
        ):
            asked = proxy.get(path, body=b"x").asked
            assert (asked["backend"], asked["path"]) == (backend, path)
        assert proxy.get("/api/webhooks/nginx").status == 403
        told = proxy.get("/", headers={"X-Real-IP": "203.0.113.9"}).asked["headers"]
        assert isinstance(told, dict)
        assert told["X-Real-IP"] == "127.0.0.1"
        assert proxy.get("/dav/a/b.ics", body=b"x" * 2**21).status == 200
        for port in (6993, 6465):
            context = unverified()
            context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384")
            plain = socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), timeout=PATIENCE)
            with context.wrap_socket(plain) as client:
                assert client.version() == "TLSv1.3"
        assert says(proxy, 6143, "a LOGIN jane secret").startswith("a BAD")
        assert "AUTH" not in says(proxy, 6587, "EHLO client.example")
        conf = proxy.sandbox.text("/tmp/kolab-nginx.conf")
        assert conf.count("proxy_smtp_auth on;") == conf.count("xclient off;") == 1
        # Whoever asks nginx to read its certificate again, or to end, knows no other name.
        there = proxy.sandbox.path("/etc/nginx/nginx.conf")
        assert subprocess.run(["nginx", "-c", there, "-t"], capture_output=True, check=False).returncode == 0
        assert conf.count("TLSv1.2 TLSv1.3") == 2
        # What is renewed there is shown.
        shown = re.findall(r"ssl_certificate(?:_key)? ([^ ;]+);", conf)
        assert shown == ["/kolab/certificate/tls.crt", "/kolab/certificate/tls.key"] * 2
        assert not re.search(
            r"TLSv1[ .;]1?[ ;]|starttls (on|off);\n.*starttls on|\[::\]|processes (auto|16)", conf
        )


def says(proxy: Proxy, port: int, line: str) -> str:
    """The answer to a line of a mail client that speaks no TLS."""
    with socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), timeout=PATIENCE) as client:
        assert client.recv(4096)
        client.sendall(f"{line}\r\n".encode())
        return client.recv(4096).decode()


@pytest.mark.parametrize("mutant", [each for each in MUTANTS["proxy"] if each.refused], ids=str)
def test_an_image_that_cannot_be_made_right_is_refused_with_a_sentence(
    mutant: Mutant, tmp_path: Path
) -> None:
    sandbox = Sandbox(tmp_path / "root")
    environment = prepare(sandbox, deployment("bare"), init(mutant))
    script = deployment("bare").file("proxy", "proxy", f"{entry.PATH}/entry.sh")
    done = sandbox.run(script, env=environment)
    assert done.returncode == 70
    assert re.search(f"^entry: .*{mutant.refused}", done.stderr, re.MULTILINE), done.stderr
    assert [call for call in sandbox.calls if call.startswith("nginx") and not call.endswith("-T")] == []


def test_a_part_that_an_image_lacks_is_told_and_stops_nothing(tmp_path: Path) -> None:
    lacking = without('where /meetmedia "$MEET_BACKEND" "$upgrade $host"')(init_of(GENERATIONS[0]))
    with running(Sandbox(tmp_path / "root"), deployment("bare"), lacking) as proxy:
        assert proxy.get("/").status == 200
        assert "entry: warning: the image passes /meetmedia/signaling on to" in proxy.sandbox.err


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_rehearsal_judges_the_image_and_serves_nothing(generation: str, tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "root")
    environment = prepare(sandbox, deployment("bare"), init_of(generation)) | {"KOLAB_TASK": "rehearse"}
    done = sandbox.run(deployment("bare").file("proxy", "proxy", f"{entry.PATH}/entry.sh"), env=environment)
    assert (done.returncode, "this image can run here" in done.stdout) == (0, True), done.stderr
    assert [call for call in sandbox.calls if call.startswith("nginx") and not call.endswith("-T")] == []
