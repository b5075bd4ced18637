"""What tests of backups share: the pods of a stack that has them, restic's own server, and people with mail."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from tests.engine.program import CHECKOUT
from tests.lab.images import build, pods
from tests.lab.images.container import ADDRESS, Container, Machine, Start, machine
from tests.lab.images.contract import image
from tests.support import rest_server
from tests.support.postfix import authority, identity, pem
from tests.support.stacks import changed

JOHN, JANE = "john@example.org", "jane@example.org"
PORT = 18000
ANYBODY = """
import http.server
class Yes(http.server.BaseHTTPRequestHandler):
    def do_POST(self):
        asked = self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(403 if asked.startswith(b"probe") else 200); self.end_headers()
http.server.ThreadingHTTPServer(("", 8000), Yes).serve_forever()
"""
"""Stands in for the web application: every password is right, but for that of a probe."""


@dataclass
class Site:
    """The pods of a stack with backups, and a server for these."""

    place: Machine
    workloads: dict[str, pods.Workload]
    values: dict[str, str]
    server: Container

    def pod(self, name: str, **more: str) -> pods.Pod:
        """One more pod of a workload, with these variables."""
        return pods.Pod(self.place, replace(self.workloads[name], more=more))

    def mail(self, command: str, user: str, *words: str) -> Any:
        """What a person does by IMAP (mail_store)."""
        done = pods.inside(
            self.place, sys.executable, "-m", "tests.lab.images.mail_store", ADDRESS, command, user, *words
        )
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout) if command == "read" else None

    def newest(self, tag: str) -> str:
        """The snapshot that a restore would take."""
        pod = self.tool("restic", "snapshots", "--tag", tag, "--latest", "1", "--json", "--no-lock")
        return str(json.loads(pod.output.splitlines()[-1])[0]["id"])

    def tool(self, *command: str, code: int | None = 0) -> Container:
        """A command in a container that has the repository's credentials; None allows any exit code."""
        (spec,) = self.workloads["backup-database"].containers()
        env = self.workloads["backup-database"].environment(spec)
        files = self.place.folder / "tool"
        files.mkdir(exist_ok=True)
        (files / "authorities.pem").write_text((self.place.folder / "tls" / "authority.pem").read_text())
        container = self.place.start(
            Start(image=image("restic"), env=env, mounts={"/kolab/entry": files}, uid=0, command=command)
        )
        ended = container.exited(180)
        assert code is None or ended == code, container.output
        return container


@contextmanager
def site() -> Iterator[Site]:
    """The pods, not yet started, and the server, which runs."""
    build.tars()
    with machine() as place:
        tls, repository = place.folder / "tls", place.folder / "repository"
        for folder in (tls, repository):
            folder.mkdir()
        by = authority()
        (tls / "authority.pem").write_text(pem(by))
        (tls / "identity.pem").write_text(identity(by, "backup.example.net"))
        values = pods.some_secrets()
        (tls / "users").write_text(rest_server.user("kolab", values["backupPassword"]))
        settings = changed(
            "single-node",
            {
                # The tests speak to it by the names that programs had then.
                "mariadb": {"release": "10.5"},
                "backup": {
                    "repository": {
                        "kind": "rest",
                        "endpoint": f"https://backup.example.net:{PORT}",
                        "username": "kolab",
                        "networks": "198.51.100.36/32",
                        "authorities": pem(by),
                    },
                },
            },
        )
        place.add_name("backup.example.net")
        server = tuple(rest_server.command("rest-server", f":{PORT}", "/repository", "/tls"))
        mounts = {"/repository": repository, "/tls": tls}
        served = place.start(Start(image=image("restic"), mounts=mounts, uid=0, command=server))
        place.start(Start(image=image("webapp"), uid=1001, command=("python3", "-c", ANYBODY)))
        found = pods.workloads(pods.rendered(settings, values))
        made = Site(place, found, values, served)
        yield made


def eventually(container: Container, text: str, seconds: float = 240) -> None:
    """Until a container has said so."""
    deadline = time.monotonic() + seconds
    while text not in container.output:
        assert time.monotonic() < deadline, container.output[-800:]
        time.sleep(0.5)


def sql(site: Site, pod: pods.Pod, statement: str) -> str:
    """What the application's database answers."""
    password = site.values["databasePassword"]
    done = pod.containers["mariadb"].run(
        "mysql", "-ukolabdev", f"-p{password}", f"-h{ADDRESS}", "-N", "-B", "kolabdev", "-e", statement
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def emptied(volume: Path) -> None:
    """Loses a volume."""
    for found in sorted(volume.rglob("*"), reverse=True):
        found.rmdir() if found.is_dir() and not found.is_symlink() else found.unlink()


def with_mail(site: Site, each: int = 120) -> pods.Pod:
    """Cyrus with so many messages of each person in it, of which there is a backup."""
    pod = site.pod("imap")
    pod.wait_ready()
    for user in (JOHN, JANE):
        site.mail("fill", user, str(each))
    eventually(pod.containers["backup-mail"], "kept mail")
    return pod


def keep(pod: pods.Pod, *before: str, seconds: float = 240) -> subprocess.CompletedProcess[str]:
    """A backup of the mail; words `before` it run it."""
    command = ("/bin/sh", "/kolab/entry/mail.sh", "mail")
    return pod.containers["backup-mail"].run(*before, *command, seconds=seconds)


def drilled(pod: pods.Pod, container: str) -> str:
    """What a drill says when it is content."""
    looking = pod.containers[container]
    assert looking.exited(240) == 0, looking.output[-2000:]
    return next(line for line in looking.output.splitlines() if line.startswith("backup: "))


def idle(site: Site, workload: str, name: str, mounts: Mapping[str, Path]) -> Container:
    """Container `name` of a workload, which waits to be told what to run; `mounts` take the place of its volumes."""
    found = site.workloads[workload]
    specs = [*found.pod.get("initContainers", []), *found.containers()]
    (spec,) = [each for each in specs if each["name"] == name]
    scripts = site.place.folder / f"scripts-{name}"
    shutil.copytree(CHECKOUT / "components/scripts/backup", scripts, dirs_exist_ok=True)
    (scripts / "authorities.pem").write_text((site.place.folder / "tls" / "authority.pem").read_text())
    waiting = site.place.start(
        Start(
            image=pods.image_called(spec["image"]),
            env=found.environment(spec),
            mounts={"/kolab/entry": scripts, **mounts},
            uid=0,
            command=("/bin/sh", "-c", "exec sleep 100000"),
        )
    )
    waiting.wait_ready("true", 60)
    return waiting
