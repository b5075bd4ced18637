"""Others who hold the other half of a secret: who is told of alerts, takes mail about them and keeps backups.

All of them are at the address of the lab's client, with certificates of an authority of their own.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from model.monitoring.places import ALERTMANAGER_PATH
from model.topology import ALERTMANAGER, ROUND_TRIP, Daemon
from tests.acceptance import smarthost, webhook
from tests.acceptance.servers import serving
from tests.acceptance.stack import Stack
from tests.lab import programs
from tests.support import rest_server
from tests.support.postfix import authority, identity, pem

BACKUPS, PORT, USER = "backup.provider.test", 8000, "kolab"
_TRUST = "world-authority"
_ASK = """
import sys, urllib.request as web
body = sys.argv[2].encode() if len(sys.argv) > 2 else None
print(web.urlopen(web.Request(sys.argv[1], body, {"Content-Type": "application/json"})).read().decode())
"""


@dataclass
class Others:
    """Their servers, and what these saw. `folder` is empty at first."""

    stack: Stack
    folder: Path

    def __post_init__(self) -> None:
        self._by = authority()
        for name, host in (("hooks", webhook.HOST), ("mail", smarthost.HOST), ("backups", BACKUPS)):
            (self.folder / name).mkdir()
            (self.folder / name / "identity.pem").write_text(identity(self._by, host))
        self._told, self._seen = self.folder / "hooks" / "told", self.folder / "mail" / "seen"
        for notes in (self._told, self._seen):
            notes.write_text("")

    @property
    def authorities(self) -> str:
        """Who vouches for them (PEM)."""
        return pem(self._by)

    @contextmanager
    def serving(self, values: Mapping[str, str]) -> Iterator[None]:
        """All of them, and each knows its one of these values alone; webhooks take whatever comes."""
        mail, backups, internet = self.folder / "mail", self.folder / "backups", self.stack.lab.internet
        (mail / "login").write_text(f"{USER}:{values['alertsServerPassword']}")
        (backups / "users").write_text(rest_server.user(USER, values["backupPassword"]))
        listen = f"{internet.address}:{PORT}"
        line = rest_server.command(programs.program("rest-server"), listen, backups / "repository", backups)
        with ExitStack() as opened:
            opened.enter_context(serving(self.stack, "webhook", self._told))
            opened.enter_context(serving(self.stack, "smarthost", mail))
            process = internet.start(line)
            opened.callback(process.wait, timeout=20)
            opened.callback(process.terminate)
            yield

    @contextmanager
    def believed(self) -> Iterator[None]:
        """Alertmanager takes their authority for one of the world's, which it knows from its image."""
        (self.folder / "authorities.pem").write_text(self.authorities)
        configured = f"--from-file={self.folder / 'authorities.pem'}"
        self.stack.kubectl("create", "configmap", _TRUST, configured)
        file = {"name": "SSL_CERT_FILE", "value": f"/{_TRUST}/authorities.pem"}
        container = {
            "name": "alertmanager",
            "env": [file],
            "volumeMounts": [{"name": _TRUST, "mountPath": f"/{_TRUST}"}],
        }
        volume = {"name": _TRUST, "configMap": {"name": _TRUST}}
        self._apply({"spec": {"template": {"spec": {"containers": [container], "volumes": [volume]}}}})
        try:
            yield
        finally:
            self._apply({})
            self.stack.kubectl("delete", "configmap", _TRUST)

    def _apply(self, fields: dict[str, Any]) -> None:
        """Fields of a manager of its own, which an update leaves alone."""
        named = {"apiVersion": "apps/v1", "kind": "StatefulSet", "metadata": {"name": "alertmanager"}}
        command = ("apply", "--server-side", f"--field-manager={_TRUST}", "-f", "-")
        self.stack.kubectl(*command, text=json.dumps(named | fields))

    def told(self, url: str) -> list[str]:
        """Names of the alerts that came to a URL."""
        return [each["labels"]["alertname"] for each in _lines(self._told) if url.endswith(each["path"])]

    def shown(self) -> list[bool]:
        """Of each password that the mail server was shown, whether it was the right one."""
        return [each["right"] for each in _lines(self._seen) if "right" in each]

    def mailed(self) -> set[str]:
        """Subjects of the mail about alerts that the mail server took."""
        return {each["subject"] for each in _lines(self._seen) if "subject" in each}

    def alert(self, name: str) -> None:
        """An alert that pages, as Prometheus tells Alertmanager."""
        port = ALERTMANAGER.port("http").number
        told = [{"labels": {"alertname": name, "severity": "page", "service": name}}]
        self._ask("alertmanager", f"http://127.0.0.1:{port}{ALERTMANAGER_PATH}/api/v2/alerts", json.dumps(told))  # fmt: skip

    def came_back(self) -> float:
        """When the stack's message to itself last came back (seconds since 1970)."""
        return self.number(ROUND_TRIP, "kolab_round_trip_last_success_timestamp_seconds")

    def number(self, daemon: Daemon, name: str) -> float:
        """What a daemon tells Prometheus: the value of one series, 0 while nothing has been counted."""
        page = self._ask(daemon.name, f"http://127.0.0.1:{daemon.port('metrics').number}/metrics")
        return next((float(line.split()[-1]) for line in page.splitlines() if line.startswith(f"{name} ")), 0)

    def _ask(self, daemon: str, *words: str) -> str:
        return self.stack.in_pod(self.stack.pod(daemon), [sys.executable, "-c", _ASK, *words])

    def add_key(self, values: Mapping[str, str], key: str) -> list[Path]:
        """As whoever has the key of the backups in `values`: the repository opens to another one too. The files of those
        before, which a server that deletes nothing keeps."""
        keys = self.folder / "backups" / "repository" / USER / "kolab" / "keys"
        before = list(keys.iterdir())
        backup = self.stack.settings.backup
        assert backup
        (self.folder / "key").write_text(key)
        (self.folder / "authorities.pem").write_text(self.authorities)
        variables = {
            "RESTIC_REPOSITORY": backup.repository.location,
            "RESTIC_REST_USERNAME": USER,
            "RESTIC_REST_PASSWORD": values["backupPassword"],
            "RESTIC_PASSWORD": values["backupKey"],
            "RESTIC_CACERT": f"{self.folder}/authorities.pem",
            "RESTIC_CACHE_DIR": f"{self.folder}/cache",
        }
        line = (str(programs.program("restic")), "key", "add", "--new-password-file", f"{self.folder}/key")
        self.stack.lab.internet.run(["env", *(f"{name}={text}" for name, text in variables.items()), *line])
        assert len(list(keys.iterdir())) == len(before) + 1
        return before


def _lines(notes: Path) -> list[dict[str, Any]]:
    """The last line may not be whole yet."""
    return [json.loads(line) for line in notes.read_text().split("\n")[:-1]]
