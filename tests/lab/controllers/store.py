"""The cluster's objects of one kind, kept up to date by a watch."""

from __future__ import annotations

import http.client
import logging
import threading
import time

from tests.lab.controllers.api import Api, ApiError, Object

_RETRY_SECONDS = 0.5


class Store(threading.Thread):
    """Calls every listener's `set` whenever something has changed."""

    def __init__(self, api: Api, path: str) -> None:
        super().__init__(name=path, daemon=True)
        self.path = path
        self.filled = threading.Event()
        self._api = api
        self._listeners: list[threading.Event] = []
        self._objects: dict[str, Object] = {}
        self._lock = threading.Lock()

    def listen(self, listener: threading.Event) -> None:
        """Before `start`."""
        self._listeners.append(listener)

    @property
    def objects(self) -> list[Object]:
        """All that are there now."""
        with self._lock:
            return list(self._objects.values())

    def get(self, name: str, namespace: str = "") -> Object | None:
        """One of them."""
        with self._lock:
            return self._objects.get(f"{namespace}/{name}")

    def run(self) -> None:
        """List, watch, and begin again when the connection is lost or too old."""
        while True:
            try:
                self._follow()
            except (OSError, http.client.HTTPException, ApiError, ValueError) as error:
                logging.info("%s: %s", self.path, error)
                time.sleep(_RETRY_SECONDS)

    def _follow(self) -> None:
        found = self._api.list(self.path)
        with self._lock:
            self._objects = {_key(each): each for each in found["items"]}
        self._tell()
        self.filled.set()
        version = found["metadata"]["resourceVersion"]
        for event in self._api.watch(self.path, version):
            if event["type"] == "ERROR":  # the version is too old
                return
            changed = event["object"]
            with self._lock:
                if event["type"] == "DELETED":
                    self._objects.pop(_key(changed), None)
                else:
                    self._objects[_key(changed)] = changed
            self._tell()

    def _tell(self) -> None:
        for listener in self._listeners:
            listener.set()


def _key(each: Object) -> str:
    return f"{each['metadata'].get('namespace', '')}/{each['metadata']['name']}"
