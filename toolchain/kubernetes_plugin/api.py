"""A Kubernetes API server, seen through the official client: objects in and out as plain JSON."""

from __future__ import annotations

import json
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlencode

import kubernetes
import urllib3

from .config import BadKubeconfig, Config
from .wire import Object

APPLY = "application/apply-patch+yaml"
JSON_PATCH = "application/json-patch+json"
_CONNECT_SECONDS, _READ_SECONDS = 5, 60
_config: Any = kubernetes.config  # its functions carry no types


class Unreachable(Exception):
    """No answer from the API server, or no idea where it is."""


class ApiError(Exception):
    """The API server said no; the text is its own."""

    def __init__(self, code: int, reason: str, message: str) -> None:
        super().__init__(message)
        self.code = code
        self.reason = reason


class NoSuchKind(Exception):
    """The API server has no such kind: its CRD is not (or no longer) installed."""


@dataclass(frozen=True)
class Resource:
    """Where objects of one kind live."""

    root: str
    plural: str
    namespaced: bool

    def path(self, namespace: str | None, name: str | None = None) -> str:
        """The collection's URL path, or one object's."""
        scope = f"/namespaces/{quote(namespace or 'default')}" if self.namespaced else ""
        return f"{self.root}{scope}/{self.plural}" + (f"/{quote(name)}" if name else "")


class Api:
    """The API server of one provider's configuration."""

    def __init__(self, config: Config) -> None:
        self._config = config
        self._client: Any = None
        self._kinds: dict[tuple[str, str], Resource] = {}
        self._lock = threading.Lock()

    def get(self, resource: Resource, namespace: str | None, name: str) -> Object:
        """One object as it is now."""
        return self._request("GET", resource.path(namespace, name))

    def labelled(self, resource: Resource, namespace: str | None, selector: dict[str, str]) -> list[Object]:
        """The objects with these labels."""
        labels = ",".join(f"{key}={value}" for key, value in selector.items())
        found = self._request("GET", resource.path(namespace), query={"labelSelector": labels})
        items: list[Object] = found.get("items") or []
        return items

    def create(self, resource: Resource, obj: Object, manager: str, dry_run: bool = False) -> Object:
        """Make an object that must not exist yet."""
        query = {"fieldManager": manager, "fieldValidation": "Warn", **_dry(dry_run)}
        return self._request("POST", resource.path(_namespace(obj)), obj, query=query)

    def apply(
        self, resource: Resource, obj: Object, manager: str, force: bool, dry_run: bool = False
    ) -> Object:
        """Server-side apply: the manager's fields become exactly these."""
        query = {
            "fieldManager": manager,
            "fieldValidation": "Warn",
            "force": str(force).lower(),
            **_dry(dry_run),
        }
        path = resource.path(_namespace(obj), obj["metadata"]["name"])
        return self._request("PATCH", path, obj, query=query, content_type=APPLY)

    def patch(self, resource: Resource, obj: Object, operations: list[Object]) -> Object:
        """RFC 6902, for what apply cannot say."""
        path = resource.path(_namespace(obj), obj["metadata"]["name"])
        return self._request("PATCH", path, operations, content_type=JSON_PATCH)

    def delete(self, resource: Resource, namespace: str | None, name: str, propagation: str) -> None:
        """Ask for an object's deletion; it may take its time."""
        options = {"apiVersion": "v1", "kind": "DeleteOptions", "propagationPolicy": propagation}
        self._request("DELETE", resource.path(namespace, name), options)

    def resource(self, api_version: str, kind: str) -> Resource:
        """Look a kind up. What is missing is asked for anew: its CRD may come any moment."""
        with self._lock:
            known = self._kinds.get((api_version, kind))
        if known is not None:
            return known
        root = f"/apis/{api_version}" if "/" in api_version else f"/api/{api_version}"
        try:
            found = self._request("GET", root).get("resources") or []
        except ApiError as error:
            if error.code != 404:
                raise
            found = []
        with self._lock:
            for entry in found:
                if "/" not in entry["name"]:  # deployments/status and the like are no kinds of their own
                    key = (api_version, entry["kind"])
                    self._kinds[key] = Resource(root, entry["name"], entry["namespaced"])
            if (api_version, kind) not in self._kinds:
                raise NoSuchKind(f'no matches for kind "{kind}" in version "{api_version}"')
            return self._kinds[api_version, kind]

    def forget(self, api_version: str, kind: str) -> None:
        """Look the kind up again next time: its CRD may have been replaced."""
        with self._lock:
            self._kinds.pop((api_version, kind), None)

    def _request(
        self,
        method: str,
        path: str,
        body: Any = None,
        query: dict[str, str] | None = None,
        content_type: str = "application/json",
    ) -> Object:
        client = self._connected()
        headers = {"Accept": "application/json", "User-Agent": "kolab-stand-in", "Content-Type": content_type}
        client.update_params_for_auth(headers, [], ["BearerToken"], path, method, None)
        url = f"{client.configuration.host}{path}" + (f"?{urlencode(query)}" if query else "")
        for attempt in range(6):
            try:
                response = client.call_api(
                    method, url, headers, body, _request_timeout=(_CONNECT_SECONDS, _READ_SECONDS)
                )
                text = response.read() or b"{}"
            except (urllib3.exceptions.HTTPError, OSError) as error:
                raise Unreachable(f"{method} {client.configuration.host}{path}: {error}") from None
            except kubernetes.client.ApiException as error:  # what TLS errors are turned into
                raise Unreachable(str(error.reason)) from None
            if response.status == 429 and attempt < 5:
                time.sleep(min(float(response.headers.get("Retry-After") or 1), 5))
                continue
            break
        try:
            answer: Object = json.loads(text)
        except ValueError:
            answer = {"message": text.decode(errors="replace").strip()}
        if response.status >= 400:
            message = answer.get("message") or f"the server answered {response.status}"
            raise ApiError(response.status, str(answer.get("reason", "")), str(message))
        return answer

    def _connected(self) -> Any:
        with self._lock:
            if self._client is None:
                self._client = _client(self._config)
            return self._client


def _client(config: Config) -> Any:
    settings = kubernetes.client.Configuration()
    settings.connection_pool_maxsize = 64  # as many objects as the engine works on at once
    try:
        if config.kubeconfig:
            return _config.new_client_from_config_dict(
                config.load_kubeconfig(), context=config.context, client_configuration=settings
            )
        for name in (os.environ.get("KUBECONFIG") or "~/.kube/config").split(os.pathsep):
            file = Path(name).expanduser()
            if file.is_file():
                return _config.new_client_from_config(
                    str(file), context=config.context, client_configuration=settings
                )
    except (BadKubeconfig, kubernetes.config.ConfigException) as error:
        raise Unreachable(f"unable to load Kubernetes client configuration: {error}") from None
    raise Unreachable("unable to load Kubernetes client configuration: there is no kubeconfig")


def _namespace(obj: Object) -> str | None:
    namespace: str | None = obj["metadata"].get("namespace")
    return namespace


def _dry(dry_run: bool) -> dict[str, str]:
    return {"dryRun": "All"} if dry_run else {}
