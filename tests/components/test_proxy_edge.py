"""Names, doors and hosts of the proxy's first half, read by a real nginx."""

from __future__ import annotations

import base64
import http.client
import os
import re
import subprocess
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from email.message import Message
from pathlib import Path

import pytest

from components import proxy_edge, proxy_policies
from components.proxy_edge import Monitoring, Offered, Pages
from components.proxy_policies import Policies
from tests.support.nginx import Backend, nginx_modules
from tests.support.ports import free_port
from tests.support.sandbox import PATIENCE, wait_for

pytestmark = pytest.mark.security

PAGES = Pages(
    website="example.org",
    hosts=("example.org", "admin.example.org", "reseller.example.org"),
    offered=Offered(meet=True, office=True, activesync=True),
    body_limit=1024,
    trusted=(),
    doors={},
    web_logins=60,
    web_logins_at_once=4,
    programs=600,
)
_LONGEST = ".".join(["a" * 61, "b" * 63, "c" * 63, "d" * 59, "de"])

_NO_POLICY = Policies(shared=None)


@contextmanager
def nginx(
    folder: Path, pages: Pages, monitoring: Monitoring | None = None, policies: Policies = _NO_POLICY
) -> Iterator[int]:
    """nginx with our first half alone, as the image has it: a map before ours, one server with one location."""
    nginx_modules()
    port, plain, backend = free_port(), free_port(), free_port()
    users = folder / "htpasswd"
    users.write_text("operator:{PLAIN}secret\n")
    http = proxy_edge.http_configuration(pages, monitoring).replace(
        "listen 6081", f"listen 127.0.0.1:{plain}"
    )
    http = http.replace(proxy_edge.SOLVERS, str(folder / "solvers.conf"))
    http = http.replace(proxy_edge.PROOFS, str(folder / "proofs"))
    (folder / "plain").write_text(str(plain))
    http += proxy_policies.http_configuration(policies)
    for name, text in policies.files.items():
        (folder / name).write_bytes(text.encode())
    server = proxy_policies.server_configuration(policies, str(folder))
    server += proxy_edge.server_configuration(pages, monitoring, users=str(users))
    server = server.replace(proxy_edge.MAINTENANCE, str(folder / "resting"))
    server = re.sub(r"proxy_pass http://\w+:\d+", f"proxy_pass http://127.0.0.1:{backend}", server)
    user = "user root;\n" if os.getuid() == 0 else ""
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder}/{kind};\n" for kind in kinds)
    (folder / "nginx.conf").write_text(
        f"{user}pid {folder}/pid;\nerror_log {folder}/log;\nevents {{ }}\nhttp {{\naccess_log off;\n{temporary}"
        f'map $http_upgrade $connection_upgrade {{ default upgrade; "" close; }}\n{http}\n'
        f"server {{ listen 127.0.0.1:{port}; server_name {pages.website};\n{server}\n"
        f"location / {{ proxy_pass http://127.0.0.1:{backend}; }} }} }}\n"
    )
    command = ["/usr/sbin/nginx", "-c", str(folder / "nginx.conf"), "-g", "daemon off;"]
    with (
        Backend(("127.0.0.1", backend), "any") as answers,
        subprocess.Popen(command, stderr=subprocess.PIPE) as process,
    ):
        threading.Thread(target=answers.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()
        try:
            wait_for(lambda: (folder / "pid").exists() or process.poll() is not None)
            assert process.poll() is None, (process.stderr.read() if process.stderr else b"").decode()
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)
            answers.shutdown()


def status(port: int, host: str, path: str = "/", user: str = "") -> int:
    """What one request to a host is answered with."""
    given = ["-u", user] if user else []
    done = subprocess.run(
        ["curl", "-s", "-o", "/dev/null", "-w", "%{http_code}", *given, "-H", f"Host: {host}", f"http://127.0.0.1:{port}{path}"],
        capture_output=True, text=True, check=True, timeout=PATIENCE,
    )  # fmt: skip
    return int(done.stdout)


@pytest.mark.parametrize("length", [33, 34, 41, 63, 64, 120, 253])
def test_the_proxy_starts_with_names_of_every_length_and_answers_them(tmp_path: Path, length: int) -> None:
    website = _LONGEST[-length:].lstrip(".")
    with nginx(tmp_path, replace(PAGES, website=website, hosts=(website, "example.org"))) as port:
        assert status(port, website) == 200
        assert status(port, website.upper()) == 200
        assert status(port, f"x{website[1:]}") == 421


def test_the_proxy_starts_with_a_thousand_domains_and_answers_each(tmp_path: Path) -> None:
    names = [
        f"{label}.kirchengemeinde-{n}.example"
        for n in range(1000)
        for label in ("mta-sts", "autoconfig", "autodiscover")
    ]
    with nginx(tmp_path, replace(PAGES, hosts=("example.org", *names))) as port:
        assert [status(port, name) for name in (names[0], names[1500], names[-1])] == [200] * 3
        assert status(port, "autodiscover.kirchengemeinde-1000.example") == 421


@pytest.mark.parametrize(
    ("networks", "code"),
    [(("127.0.0.0/8",), 200), (("192.0.2.0/24", "127.0.0.1/32"), 200), (("192.0.2.0/24",), 403), ((), 403)],
)
def test_a_door_is_open_to_its_networks_alone(tmp_path: Path, networks: Sequence[str], code: int) -> None:
    with nginx(tmp_path, replace(PAGES, doors={"admin.example.org": networks})) as port:
        assert status(port, "admin.example.org") == code
        assert status(port, "ADMIN.example.org") == code
        assert status(port, "reseller.example.org") == 200
        assert status(port, "example.org") == 200


@pytest.mark.parametrize(
    ("allowed", "code"), [(None, 200), (("127.0.0.1/32",), 200), (("192.0.2.0/24",), 403), ((), 403)]
)
def test_monitoring_may_be_for_some_networks_alone(
    tmp_path: Path, allowed: Sequence[str] | None, code: int
) -> None:
    monitoring = Monitoring(host="example.org", alone=False, allowed=allowed)
    with nginx(tmp_path, PAGES, monitoring) as port:
        for path in ("/prometheus/graph", "/alertmanager/", "/select/vmui/"):
            assert status(port, "example.org", path, "operator:secret") == code
            assert status(port, "example.org", path, "operator:guess") in (401, 403)


@pytest.mark.parametrize("user", ["operator:secret", ""])
def test_no_page_of_others_shows_monitoring_in_a_frame(tmp_path: Path, user: str) -> None:
    with nginx(tmp_path, PAGES, Monitoring(host="example.org", alone=False, allowed=None)) as port:
        said = headers(port, "/alertmanager/", user)
    assert (said["X-Frame-Options"], said["Content-Security-Policy"]) == ("DENY", "frame-ancestors 'none'")


def headers(port: int, path: str, user: str) -> Message:
    """The headers of one answer."""
    credentials = {"Authorization": f"Basic {base64.b64encode(user.encode()).decode()}"} if user else {}
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    connection.request("GET", path, headers={"Host": "example.org", **credentials})
    return connection.getresponse().headers


def test_monitoring_on_a_name_of_its_own_is_nowhere_else_and_nothing_else_is_there(tmp_path: Path) -> None:
    monitoring = Monitoring(host="watch.example.org", alone=True, allowed=None)
    with nginx(tmp_path, replace(PAGES, hosts=(*PAGES.hosts, "watch.example.org")), monitoring) as port:
        assert status(port, "watch.example.org", "/prometheus/", "operator:secret") == 200
        assert status(port, "watch.example.org", "/prometheus/") == 401
        for path in ("/", "/webmail/", "/api/v4/user", "/prometheusx"):
            assert status(port, "watch.example.org", path, "operator:secret") == 403
        for path in ("/prometheus/", "/alertmanager/", "/select/", "/Prometheus/"):
            assert status(port, "example.org", path, "operator:secret") == 403
        assert status(port, "example.org", "/webmail/") == 200


def test_without_engines_of_its_own_a_stack_shows_logs_alone(tmp_path: Path) -> None:
    monitoring = Monitoring(host="watch.example.org", alone=True, allowed=None, own=False)
    with nginx(tmp_path, replace(PAGES, hosts=(*PAGES.hosts, "watch.example.org")), monitoring) as port:
        assert status(port, "watch.example.org", "/select/vmui/", "operator:secret") == 200
        for path in ("/prometheus/", "/alertmanager/"):
            assert status(port, "watch.example.org", path, "operator:secret") == 403


@pytest.mark.parametrize(
    ("shared", "codes"), [("version: STSv1\r\nmode: testing\r\n", (200, 200, 410)), (None, (410, 200, 410))]
)
def test_each_host_serves_its_own_policy_and_all_others_the_common_one(
    tmp_path: Path, shared: str | None, codes: Sequence[int]
) -> None:
    own = "version: STSv1\r\nmode: enforce\r\n"
    hosts = ["mta-sts.example.org", "mta-sts.example.net", "mta-sts.example.com"]
    many = {f"mta-sts.d{n}.example": own for n in range(1000)}
    policies = Policies(shared=shared, own={**many, hosts[1]: own, hosts[2]: None})
    page = "/.well-known/mta-sts.txt"
    with nginx(tmp_path, replace(PAGES, hosts=(*PAGES.hosts, *hosts, *many)), None, policies) as port:
        assert tuple(status(port, host, page) for host in hosts) == tuple(codes)
        assert status(port, hosts[1].upper(), page) == 200
        found = subprocess.run(
            ["curl", "-sD", "-", "-H", f"Host: {hosts[1]}", f"http://127.0.0.1:{port}{page}"],
            capture_output=True, check=True, timeout=PATIENCE,
        ).stdout  # fmt: skip
    assert found.endswith(f"\r\n\r\n{own}".encode())
    assert b"Content-Type: text/plain\r\n" in found


# Maintenance


def _asked(port: int, path: str) -> tuple[int, str | None, bytes]:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.request("GET", path, headers={"Host": PAGES.website})
        answer = connection.getresponse()
        return answer.status, answer.headers["Retry-After"], answer.read()
    finally:
        connection.close()


def test_during_maintenance_people_are_told_and_probes_and_policies_are_answered(tmp_path: Path) -> None:
    with nginx(tmp_path, PAGES) as port:
        apart = ("/health", "/.well-known/mta-sts.txt")
        before = [_asked(port, path)[0] for path in ("/webmail/", *apart)]
        (tmp_path / "resting").touch()
        status, later, page = _asked(port, "/webmail/")
        assert (status, later) == (503, "600")
        assert b"It will be back soon" in page
        assert [_asked(port, path)[0] for path in apart] == before[1:]
        assert 503 not in before
        (tmp_path / "resting").unlink()
        assert _asked(port, "/webmail/")[0] == before[0]
