"""The proxy's images of today, of tomorrow, and some that nobody has published: right in effect, or refused with a sentence.

Each is run for real: its init, our scripts, nginx, and backends that write down how they were asked.
"""

from __future__ import annotations

import hashlib
import re
import socket
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from components import entry
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

A, B = (init_of(generation) for generation in GENERATIONS)


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


def swap(init: str, *pairs: str) -> str:
    """An image's init with texts replaced, each of which it must have."""
    for old, new in zip(pairs[::2], pairs[1::2], strict=True):
        assert old in init, old
        init = init.replace(old, new)
    return init


def without(init: str, line: str) -> str:
    """An image's init without the lines that are `line`."""
    found = re.compile(rf"^ *{re.escape(line)}\n", re.MULTILINE)
    assert found.search(init), line
    return found.sub("", init)


def crowded(init: str) -> str:
    """The same configuration, written by somebody with other habits."""
    head, _, mail = init.partition("mail {\n")
    mail, _, tail = mail.partition("stream {\n")
    mail = re.sub(r"\n +", " ", mail).replace("starttls on;", "starttls\n   'on' # a } in a comment; \"\n;")
    return f"{head}mail\n# {{ not a block\n{{\n {mail.strip()}\nstream {{\n{tail}"


def elsewhere(init: str) -> str:
    """The mail half in a file of its own."""
    return swap(
        init, "\nmail {\n", "\ninclude mail.conf;\nEOF\ncat > /etc/nginx/mail.conf <<EOF\nmail {\n",
        "\nstream {\n", "\nEOF\ncat >> $conf <<EOF\nstream {\n",
    )  # fmt: skip


RIGHT: dict[str, Callable[[], str]] = {
    "mail without a line about protocols": lambda: without(A, "ssl_protocols TLSv1 TLSv1.1 TLSv1.2;"),
    "mail without a line about ciphers": lambda: without(B, "ssl_ciphers HIGH:!aNULL:!MD5;"),
    "protocols in each server": lambda: swap(A, "protocol imap;", "protocol imap; ssl_protocols TLSv1 TLSv1.1;"),
    "no STARTTLS by default": lambda: without(A, "starttls on;"),
    "STARTTLS for all of mail": lambda: swap(B, "xclient off;", "xclient off; starttls on;"),
    "no listener on IPv6": lambda: without(A, "listen [::]:6443 ssl ipv6only=on;"),
    "mail on IPv6 too": lambda: swap(B, "listen 6143;", "listen 6143; listen [::]:6143 ipv6only=on;"),
    "one listener for both families": lambda: swap(
        without(A, "listen [::]:6443 ssl ipv6only=on;"),
        "listen 6443 default_server ssl;", "listen [::]:6443 default_server ssl ipv6only=off;",
    ),
    "sixteen workers": lambda: swap(A, "worker_processes auto;", "worker_processes 16;"),
    "another order of listeners": lambda: swap(
        A, "listen 6143;", "listen 1111;", "listen 6587;", "listen 6143;", "listen 1111;", "listen 6587;",
        "protocol imap;", "protocol other;", "protocol smtp;", "protocol imap;", "protocol other;", "protocol smtp;",
        "listen 6993 ssl;", "listen 1111 ssl;", "listen 6465 ssl;", "listen 6993 ssl;", "listen 1111 ssl;", "listen 6465 ssl;",
    ),
    "written by somebody with other habits": lambda: crowded(B),
    "mail in a file of its own": lambda: elsewhere(A),
    "another name of the configuration": lambda: swap(
        A, "/etc/nginx/nginx.conf", "/etc/nginx/kolab.conf", "exec nginx", "exec nginx -c /etc/nginx/kolab.conf"
    ),
    "a daemon that is not executed": lambda: swap(A, 'exec nginx -g "daemon off;"', 'nginx -g "daemon off;"'),
    "a look at the configuration before": lambda: swap(A, "\nif [[ ${1:-}", "\nnginx -t || exit 1\nif [[ ${1:-}"),
    "calendars by the request's own path": lambda: swap(B, "where /dav '$backend_url'", "where /dav '$backend_url$request_uri'"),
    "calendars by a path of their own": lambda: swap(A, '"$DAV_BACKEND$DAV_PATH"', '"$DAV_BACKEND/dav"'),
}  # fmt: skip
"""Images that differ in what our adjustments make irrelevant."""


@pytest.mark.parametrize("name", RIGHT)
def test_an_image_that_writes_it_otherwise_is_right_in_effect(name: str, tmp_path: Path) -> None:
    with running(Sandbox(tmp_path / "root"), deployment("bare"), RIGHT[name]()) as proxy:
        for path, backend in (
            ("/dav/a/b.ics", "imap"),
            ("/.well-known/caldav", "imap"),
            ("/", "webapp"),
            ("/webmail/", "roundcube"),
        ):
            asked = proxy.get(path, body=b"x").asked
            assert (asked["backend"], asked["path"]) == (backend, path)
        assert proxy.get("/api/webhooks/nginx").status == 403
        for port in (6993, 6465):
            context = unverified()
            context.set_ciphers("ECDHE-ECDSA-AES128-GCM-SHA256:ECDHE-ECDSA-AES256-SHA384")
            plain = socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), timeout=PATIENCE)
            with context.wrap_socket(plain) as client:
                assert client.version() == "TLSv1.3"
        assert says(proxy, 6143, "a LOGIN jane secret").startswith("a BAD")
        assert "AUTH" not in says(proxy, 6587, "EHLO client.example")
        conf = proxy.sandbox.text("/tmp/kolab-nginx.conf")
        assert conf.count("TLSv1.2 TLSv1.3") == 2
        assert not re.search(
            r"TLSv1[ .;]1?[ ;]|starttls (on|off);\n.*starttls on|\[::\]|processes (auto|16)", conf
        )


def says(proxy: Proxy, port: int, line: str) -> str:
    """The answer to a line of a mail client that speaks no TLS."""
    with socket.create_connection(("127.0.0.1", proxy.sandbox.port(port)), timeout=PATIENCE) as client:
        assert client.recv(4096)
        client.sendall(f"{line}\r\n".encode())
        return client.recv(4096).decode()


OUR_RULES = "answers without this stack's rules"
REFUSED: dict[str, tuple[Callable[[], str], str]] = {
    "no submission": (lambda: swap(A, "listen 6587;", "listen 6588;"), r"no listener smtp:\d+:starttls"),
    "IMAPS without TLS": (lambda: swap(B, "listen 6993 ssl;", "listen 6993;"), r"no listener imap:\d+:ssl"),
    "protocols that changed places": (
        lambda: swap(A, "protocol imap;", "protocol x;", "protocol smtp;", "protocol imap;", "protocol x;", "protocol smtp;"),
        r"no listener imap:\d+:starttls",
    ),
    "no mail at all": (lambda: A[: A.index("mail {")] + A[A.index("stream {") :], r"no listener imap:\d+:starttls"),
    "logins asked of a stranger": (
        lambda: swap(A, "auth_http $WEBAPP_BACKEND/api/webhooks/nginx;", "auth_http http://192.0.2.1/;"),
        "would ask 'http://192.0.2.1/'",
    ),
    "nothing of ours in the server": (lambda: without(A, "include /etc/nginx/default.d/*.conf;"), OUR_RULES),
    "nothing of ours in HTTP": (lambda: without(B, "include /etc/nginx/conf.d/*.conf;"), "nginx refuses its configuration: .*"),
    "another web server beside it": (
        lambda: swap(A, "http {\n", "http {\n server { listen 6444; location / { proxy_pass http://127.0.0.1:1; } }\n"),
        OUR_RULES,
    ),
    "calendars at a path of their own": (
        lambda: swap(B, "default $DAV_BACKEND$DAV_PATH;", "default $DAV_BACKEND/dav;"),
        "passes /dav/calendars/.* on to http://kolab_cyrus/dav instead of to http://kolab_cyrus as it was asked",
    ),
    "calendars at a path of another": (
        lambda: swap(A, '"$DAV_BACKEND$DAV_PATH"', '"$DAV_BACKEND/caldav"'),
        "passes /dav/calendars/.* on to http://kolab_cyrus/caldav",
    ),
    "no calendars": (lambda: without(A, 'where /dav "$DAV_BACKEND$DAV_PATH" "$plain"'), "passes /dav/calendars/.* on to http://127"),
    "calendars of another backend": (
        lambda: swap(B, "alternative $DAV_ALTERNATIVE_BACKEND", "alternative http://192.0.2.1"),
        "passes /dav/calendars/.* on to http://192.0.2.1",
    ),
    "calendars rewritten": (
        lambda: swap(A, '"$DAV_BACKEND$DAV_PATH" "', '"$DAV_BACKEND$DAV_PATH" "rewrite ^/dav(.*) /cal$1 break; '),
        "rewrites /dav/calendars/",
    ),
    "no webmail": (lambda: without(B, 'where "$WEBMAIL_PATH" "$ROUNDCUBE_BACKEND" "$standard"'), "passes /webmail/ on to"),
    "a hook for everybody": (lambda: swap(B, '"internal; ', '"'), "passes strangers on to the hook http://"),
    "another daemon": (lambda: swap(A, "exec nginx", "exec angie"), "hands over to 'angie -g daemon off;', not to nginx"),
    "no daemon": (lambda: swap(A, 'exec nginx -g "daemon off;"', "true"), "ended without its daemon"),
    "a statement that nginx does not know": (
        lambda: swap(A, "xclient off;", "xclient off; quic_mail on;"), 'refuses its configuration: .*unknown directive "quic_mail"',
    ),
    "half a configuration": (lambda: swap(A, "stream {\n", "stream { {\n"), "a statement without words"),
    "no configuration": (lambda: swap(A, "/etc/nginx/nginx.conf", "/etc/nginx/other.conf"), "no block events"),
}  # fmt: skip
"""Images that this stack cannot run, and what is said about them."""


@pytest.mark.parametrize("name", REFUSED)
def test_an_image_that_cannot_be_made_right_is_refused_with_a_sentence(name: str, tmp_path: Path) -> None:
    init, sentence = REFUSED[name]
    sandbox = Sandbox(tmp_path / "root")
    environment = prepare(sandbox, deployment("bare"), init())
    script = deployment("bare").file("proxy", "proxy", f"{entry.PATH}/entry.sh")
    done = sandbox.run(script, env=environment)
    assert done.returncode == 70
    assert re.search(f"^entry: .*{sentence}", done.stderr, re.MULTILINE), done.stderr
    assert [call for call in sandbox.calls if call.startswith("nginx") and not call.endswith("-T")] == []


def test_a_part_that_an_image_lacks_is_told_and_stops_nothing(tmp_path: Path) -> None:
    init = without(A, 'where /meetmedia "$MEET_BACKEND" "$upgrade $host"')
    with running(Sandbox(tmp_path / "root"), deployment("bare"), init) as proxy:
        assert proxy.get("/").status == 200
        assert "entry: warning: the image passes /meetmedia/signaling on to" in proxy.sandbox.err


@pytest.mark.parametrize("generation", GENERATIONS)
def test_a_rehearsal_judges_the_image_and_serves_nothing(generation: str, tmp_path: Path) -> None:
    sandbox = Sandbox(tmp_path / "root")
    environment = prepare(sandbox, deployment("bare"), init_of(generation)) | {"KOLAB_TASK": "rehearse"}
    done = sandbox.run(deployment("bare").file("proxy", "proxy", f"{entry.PATH}/entry.sh"), env=environment)
    assert (done.returncode, "this image can run here" in done.stdout) == (0, True), done.stderr
    assert [call for call in sandbox.calls if call.startswith("nginx") and not call.endswith("-T")] == []
