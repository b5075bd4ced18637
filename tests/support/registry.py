"""A registry of images on loopback, as far as our client asks one: manifests, blobs, tags, and the ways to log in."""

from __future__ import annotations

import base64
import gzip
import hashlib
import io
import json
import tarfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from ops.images.documents import INDEXES, MANIFESTS

USER, PASSWORD = "puller", "let-me-in"


def digest(content: bytes) -> str:
    """sha256:..."""
    return f"sha256:{hashlib.sha256(content).hexdigest()}"


def layer(files: Mapping[str, str | None]) -> bytes:
    """A gzipped layer with these files; None makes a whiteout, a name that ends with / a folder."""
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, text in files.items():
            folder, _, last = name.rpartition("/")
            entry = tarfile.TarInfo(f"{folder}/.wh.{last}" if text is None else name)
            content = (text or "").encode()
            entry.size, entry.mode = len(content), 0o755
            tar.addfile(entry, io.BytesIO(content))
    return gzip.compress(buffer.getvalue(), mtime=0)


@dataclass
class Store:
    """What the registry has, and how it behaves."""

    blobs: dict[str, bytes] = field(default_factory=dict)
    manifests: dict[tuple[str, str], tuple[str, bytes]] = field(default_factory=dict)
    """(repository, tag or digest) -> type and content."""
    auth: str = ""
    """Empty, basic, or bearer."""
    realm: str = ""
    """Where logins are sent to, if not to the registry itself."""
    busy: int = 0
    """How many questions it answers with 429 first."""
    retry_after: str = "1"
    redirect_to: str = ""
    """Another registry that has the blobs."""
    corrupt: bool = False
    instead: dict[str, bytes] = field(default_factory=dict)
    """What it sends in place of a kind of answer: manifests, blobs, tags, or token; or of a header: WWW-Authenticate or Link."""
    silent: float = 0
    asked: list[tuple[str, str | None]] = field(default_factory=list)
    """Path and Authorization of each question."""

    def add(self, repository: str, tag: str, platform: str = "linux/amd64", *layers: bytes) -> str:
        """An image for one platform; returns its digest."""
        system, _, machine = platform.partition("/")
        config = json.dumps({"os": system, "architecture": machine, "rootfs": {}}).encode()
        described = [self._put(each, "application/vnd.oci.image.layer.v1.tar+gzip") for each in layers]
        manifest = {
            "schemaVersion": 2,
            "mediaType": MANIFESTS[0],
            "config": self._put(config, "application/vnd.oci.image.config.v1+json"),
            "layers": described,
        }
        return self.store(repository, tag, MANIFESTS[0], manifest)

    def add_index(self, repository: str, tag: str, images: Mapping[str, str]) -> str:
        """An index of platform -> digest; returns its digest."""
        entries = [
            {
                "mediaType": MANIFESTS[0],
                "digest": found,
                "size": len(self.manifests[repository, found][1]),
                "platform": dict(zip(("os", "architecture"), platform.split("/"), strict=True)),
            }
            for platform, found in images.items()
        ]
        document = {"schemaVersion": 2, "mediaType": INDEXES[0], "manifests": entries}
        return self.store(repository, tag, INDEXES[0], document)

    def store(self, repository: str, tag: str, kind: str, document: Any) -> str:
        """A manifest; returns its digest."""
        content = json.dumps(document).encode()
        self.manifests[repository, tag] = self.manifests[repository, digest(content)] = kind, content
        return digest(content)

    def _put(self, content: bytes, kind: str) -> dict[str, Any]:
        self.blobs[digest(content)] = content
        return {"mediaType": kind, "digest": digest(content), "size": len(content)}


@contextmanager
def serving(store: Store) -> Iterator[str]:
    """Its host and port while it runs."""
    gone = threading.Event()

    class Answers(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def log_message(self, *_: Any) -> None:
            pass

        def do_GET(self) -> None:
            path, said = urlsplit(self.path), self.headers.get("Authorization")
            store.asked.append((self.path, said))
            if store.silent:
                gone.wait(store.silent)
            if path.path == "/token":
                ok = said in (None, _basic()) and parse_qs(path.query)["service"] == ["here"]
                self._send(200 if ok else 401, store.instead.get("token", b'{"token": "t0ken"}'))
            elif store.busy:
                store.busy -= 1
                self._send(429, b"", {"Retry-After": store.retry_after})
            elif store.auth and said != (_basic() if store.auth == "basic" else "Bearer t0ken"):
                self._send(401, b"", {"WWW-Authenticate": self._challenge()})
            else:
                self._serve(path.path.removeprefix("/v2/"))

        def do_POST(self) -> None:
            form = parse_qs(self.rfile.read(int(self.headers["Content-Length"])).decode())
            store.asked.append((self.path, None))
            known = form["grant_type"] == ["refresh_token"] and form["refresh_token"] == [PASSWORD]
            self._send(200 if known else 401, b'{"access_token": "t0ken"}')

        def _challenge(self) -> str:
            if "WWW-Authenticate" in store.instead:
                return store.instead["WWW-Authenticate"].decode("latin-1")
            here = f"http://{self.headers['Host']}"
            realm = store.realm or f"{here}/token"
            basic = store.auth == "basic"
            return 'Basic realm="here"' if basic else f'Bearer realm="{realm}",service="here",scope="a,b"'

        def _serve(self, path: str) -> None:
            repository, _, name = path.rpartition("/")
            repository, _, kind = repository.rpartition("/")
            if kind in store.instead:
                of = store.manifests[repository, name][0] if kind == "manifests" else "text/html"
                link = store.instead.get("Link", b"").decode("latin-1")
                self._send(200, store.instead[kind], {"Content-Type": of, "Link": link})
            elif kind == "manifests" and (repository, name) in store.manifests:
                of, content = store.manifests[repository, name]
                header = {"Docker-Content-Digest": digest(content), "Content-Type": of}
                self._send(200, content + b" " * store.corrupt, header)
            elif kind == "tags":
                tags = sorted({tag for at, tag in store.manifests if at == repository and ":" not in tag})
                self._tags(tags)
            elif kind == "blobs" and store.redirect_to:
                to = store.redirect_to
                self._send(307, b"", {"Location": to if "://" in to else f"http://{to}/v2/{path}"})
            elif kind == "blobs" and name in store.blobs:
                self._send(200, store.blobs[name] + b" " * store.corrupt)
            else:
                self._send(404, b"{}")

        def _tags(self, tags: list[str]) -> None:
            """Two at a time, as registries do with more of them."""
            last = parse_qs(urlsplit(self.path).query).get("last", [""])[0]
            left = [tag for tag in tags if tag > last]
            more = {"Link": f'<{urlsplit(self.path).path}?last={left[1]}>; rel="next"'} if left[2:] else {}
            self._send(200, json.dumps({"tags": left[:2]}).encode(), more)

        def _send(self, status: int, content: bytes, headers: Mapping[str, str] | None = None) -> None:
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True).start()
    try:
        yield f"127.0.0.1:{server.server_address[1]}"
    finally:
        gone.set()
        server.shutdown()
        server.server_close()


def _basic() -> str:
    return "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()
