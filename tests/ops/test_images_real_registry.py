"""Digests and layers from the reference registry itself, with TLS of its own authority, a password, and an index."""

from __future__ import annotations

import base64
import json
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import urllib3
import yaml

from ops.images import pin, platforms
from ops.images.credentials import login
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import StackProblem
from tests.lab import programs
from tests.support.authority import Authority
from tests.support.ports import free_port
from tests.support.registry import PASSWORD, USER, Store, digest, layer

pytestmark = pytest.mark.thorough

NAME = "registry.test"
_HTPASSWD = f"{USER}:$2y$05$abcdefghijklmnopqrstuu3Jd./u/rH1RxB6auX5v7gLP6uWhKCgG\n"
"""The password, as bcrypt."""


@dataclass
class Registry:
    """The running registry."""

    host: str
    authority: Path
    folder: Path

    def client(self, environment: dict[str, str]) -> Registries:
        """Ours, with the logins of a home folder."""
        return Registries(self.authority, lambda host, at: login(host, at, environment))

    def image(self, name: str) -> Image:
        return Image(name, self.host, f"kolab/{name}", "latest", None, (name,))

    def push(self, name: str, store: Store) -> None:
        """All of `store` as the image `name`."""
        at = f"https://{self.host}/v2/kolab/{name}"
        http = urllib3.PoolManager(ca_certs=str(self.authority))
        sent = {"Authorization": "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()}
        for each in store.blobs.values():
            place = http.request("POST", f"{at}/blobs/uploads/", headers=sent).headers["Location"]
            joint = "&" if "?" in place else "?"
            put = http.request("PUT", f"{place}{joint}digest={digest(each)}", body=each, headers=sent)
            assert put.status == 201, put.data
        # An index comes after what it lists.
        for (_, tag), (kind, content) in store.manifests.items():
            put = http.request(
                "PUT", f"{at}/manifests/{tag}", body=content, headers={**sent, "Content-Type": kind}
            )
            assert put.status == 201, put.data


@pytest.fixture(scope="module")
def built() -> Path:
    if shutil.which("go") is None:
        pytest.skip("the registry is built with Go")
    programs.build(lambda text: print(text, file=sys.stderr), "registry")
    return programs.program("registry")


@pytest.fixture
def registry(built: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    authority = Authority.make(tmp_path)
    authority.context([NAME])
    (tmp_path / "htpasswd").write_text(_HTPASSWD)
    port = free_port()
    leaf = str(tmp_path / "leaf.pem")
    config: dict[str, Any] = {
        "version": "0.1",
        "log": {"level": "error"},
        "storage": {"filesystem": {"rootdirectory": str(tmp_path / "data")}},
        "auth": {"htpasswd": {"realm": "here", "path": str(tmp_path / "htpasswd")}},
        "http": {"addr": f"127.0.0.1:{port}", "tls": {"certificate": leaf, "key": leaf}},
    }
    (tmp_path / "config.yaml").write_text(yaml.safe_dump(config))
    real = socket.getaddrinfo
    monkeypatch.setattr(
        socket,
        "getaddrinfo",
        lambda host, *rest, **more: real("127.0.0.1" if host == NAME else host, *rest, **more),
    )
    log = (tmp_path / "log").open("wb")
    with log, subprocess.Popen([built, "serve", tmp_path / "config.yaml"], stdout=log, stderr=log) as process:
        try:
            _wait(port, process, tmp_path / "log")
            yield Registry(f"{NAME}:{port}", authority.file, tmp_path)
        finally:
            process.terminate()


def _wait(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    deadline = time.monotonic() + 30
    while True:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return
        except OSError:
            assert process.poll() is None, log.read_text()
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)


def logged_in(registry: Registry, password: str = PASSWORD) -> dict[str, str]:
    entry = {"auth": base64.b64encode(f"{USER}:{password}".encode()).decode()}
    (registry.folder / "config.json").write_text(json.dumps({"auths": {registry.host: entry}}))
    return {"DOCKER_CONFIG": str(registry.folder), "HOME": str(registry.folder / "home")}


def both_machines(name: str) -> tuple[Store, str]:
    """An index of two images, and its digest."""
    store = Store()
    machines = ("linux/amd64", "linux/arm64")
    images = {
        each: store.add(f"kolab/{name}", each[-5:], each, layer({"init.sh": each})) for each in machines
    }
    return store, store.add_index(f"kolab/{name}", "latest", images)


def test_an_index_is_pinned_and_its_layers_are_read(registry: Registry) -> None:
    store, there = both_machines("imap")
    registry.push("imap", store)
    client, image = registry.client(logged_in(registry)), registry.image("imap")
    (found,) = pin.resolve(client, [image], ["linux/amd64", "linux/arm64"], lambda _: None)
    assert found.digest == there
    one = platforms.of(client, image, client.manifest(image), "linux/arm64")
    assert platforms.configuration(client, image, one).architecture == "arm64"
    _, stored = one.document.parts
    assert b"".join(client.blob(image, stored.digest)) == store.blobs[stored.digest]
    assert sorted(client.tags(image)) == ["amd64", "arm64", "latest"]


def test_without_the_right_login_nothing_is_told(registry: Registry) -> None:
    image = registry.image("imap")
    with pytest.raises(StackProblem, match="wants a login, or has no such image"):
        registry.client({"HOME": str(registry.folder / "home")}).manifest(image)
    with pytest.raises(StackProblem, match=f"refuses the stored login of {USER}") as said:
        registry.client(logged_in(registry, "wr0ng")).manifest(image)
    assert "wr0ng" not in str(said.value)


def test_an_authority_that_is_not_known_is_said_with_the_way_to_name_it(registry: Registry) -> None:
    with pytest.raises(StackProblem, match=r"is not trusted \(.*\): .* name its file with --ca"):
        Registries(None, lambda *_: None).manifest(registry.image("imap"))
    nonsense = registry.folder / "nonsense.pem"
    nonsense.write_text("nothing")
    with pytest.raises(StackProblem, match="holds no certificates in PEM"):
        Registries(nonsense, lambda *_: None).manifest(registry.image("imap"))


def test_a_tag_that_the_registry_lacks_is_said(registry: Registry) -> None:
    with pytest.raises(StackProblem, match="has no such image or tag"):
        registry.client(logged_in(registry)).manifest(registry.image("gone"))
