"""An API server that gives prepared answers, for the real client."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

import pytest
import yaml


class _Server(BaseHTTPRequestHandler):
    """Answers what stands in `answers`, an empty list otherwise; a number is a status."""

    answers: ClassVar[dict[str, Any]] = {}
    asked: ClassVar[list[str]] = []

    def do_GET(self) -> None:
        """One question."""
        url = urlsplit(self.path)
        self.asked.append(f"{url.path} {parse_qs(url.query).get('labelSelector', [''])[0]}".strip())
        found = self.answers.get(url.path, [])
        status = found if isinstance(found, int) else 200
        body = json.dumps({"items": found} if isinstance(found, list) else {} if status != 200 else found)
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body.encode())

    def log_message(self, *_: object) -> None:
        """Nothing."""


def asked() -> list[str]:
    """Paths that the last server was asked for, each with its label selector."""
    return _Server.asked


@contextmanager
def api_server(
    answers: Mapping[str, Any], folder: Path, monkeypatch: pytest.MonkeyPatch, context: str = "c"
) -> Iterator[dict[str, Any]]:
    """A server with these answers by path, which may be changed while it runs. KUBECONFIG leads there."""
    _Server.answers, _Server.asked = dict(answers), []
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Server)
    threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
    kubeconfig = {
        "current-context": context,
        "contexts": [{"name": context, "context": {"cluster": "c", "user": "u"}}],
        "clusters": [{"name": "c", "cluster": {"server": f"http://127.0.0.1:{server.server_port}"}}],
        "users": [{"name": "u", "user": {}}],
    }
    path = folder / "kubeconfig"
    path.write_text(yaml.safe_dump(kubeconfig))
    monkeypatch.setenv("KUBECONFIG", str(path))
    monkeypatch.setattr("kubernetes.config.kube_config.KUBE_CONFIG_DEFAULT_LOCATION", str(path))
    try:
        yield _Server.answers
    finally:
        server.shutdown()
        server.server_close()
