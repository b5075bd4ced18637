"""The API server in plain JSON: what the lab's controllers need of it, without a client library's weight."""

from __future__ import annotations

import base64
import http.client
import json
import ssl
import threading
import urllib.parse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

Object = dict[str, Any]
_SECONDS = 10
# The server closes a watch after this time, so that a connection to a server that died is noticed.
_WATCH_SECONDS = 60


class ApiError(Exception):
    """The server said no."""

    def __init__(self, status: int, message: str) -> None:
        super().__init__(f"{status}: {message}")
        self.status = status


class Api:
    """One connection per thread, kept open."""

    def __init__(self, kubeconfig: Path) -> None:
        config = yaml.safe_load(kubeconfig.read_text())
        cluster = config["clusters"][0]["cluster"]
        self._host = urllib.parse.urlsplit(cluster["server"])
        authority = base64.b64decode(cluster["certificate-authority-data"]).decode()
        self._tls = ssl.create_default_context(cadata=authority)
        self._token = config["users"][0]["user"]["token"]
        self._threads = threading.local()

    def list(self, path: str) -> Object:
        """All objects of a kind."""
        return self.request("GET", path)

    def create(self, path: str, body: Object) -> Object:
        """A new object; ApiError 409 when it is there."""
        return self.request("POST", path, body)

    def patch(self, path: str, body: Object) -> Object:
        """A merge patch."""
        return self.request("PATCH", path, body, kind="application/merge-patch+json")

    def delete(self, path: str) -> None:
        """Delete an object; one that is gone is fine."""
        try:
            self.request("DELETE", path)
        except ApiError as error:
            if error.status != http.HTTPStatus.NOT_FOUND:
                raise

    def request(
        self, method: str, path: str, body: Object | None = None, kind: str = "application/json"
    ) -> Object:
        """One request and its answer."""
        headers = {"Authorization": f"Bearer {self._token}", "Content-Type": kind}
        connection = self._connection()
        try:
            connection.request(method, path, json.dumps(body) if body is not None else None, headers)
            answer = connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            connection.close()
            raise
        if answer.status >= http.HTTPStatus.BAD_REQUEST:
            raise ApiError(answer.status, content.decode(errors="replace")[:500])
        parsed: Object = json.loads(content)
        return parsed

    def watch(self, path: str, version: str) -> Iterator[Object]:
        """Events since `version`; ends when the server closes the connection."""
        connection = self._connect(_WATCH_SECONDS + _SECONDS)
        query = f"?watch=1&resourceVersion={version}&timeoutSeconds={_WATCH_SECONDS}"
        try:
            connection.request("GET", path + query, headers={"Authorization": f"Bearer {self._token}"})
            answer = connection.getresponse()
            if answer.status != http.HTTPStatus.OK:
                raise ApiError(answer.status, answer.read().decode(errors="replace")[:500])
            for line in answer:
                yield json.loads(line)
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPSConnection:
        if not hasattr(self._threads, "connection"):
            self._threads.connection = self._connect(_SECONDS)
        connection: http.client.HTTPSConnection = self._threads.connection
        return connection

    def _connect(self, seconds: float) -> http.client.HTTPSConnection:
        host, port = self._host.hostname or "", self._host.port
        return http.client.HTTPSConnection(host, port, timeout=seconds, context=self._tls)
