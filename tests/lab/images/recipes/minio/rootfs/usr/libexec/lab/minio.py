"""A stand-in for MinIO: one drive, folders as buckets, objects by PUT, GET, HEAD and DELETE, lists, health endpoints.

Requests have to name the right access key; their signatures are not checked.
"""

from __future__ import annotations

import hashlib
import os
import sys
import tempfile
from datetime import UTC, datetime
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qs, quote, unquote, urlsplit
from xml.sax.saxutils import escape


class Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server_version = "MinIO-stand-in"
    drive: Path

    def do_GET(self) -> None:
        path = self._object()
        if path is None:
            return
        if path.is_file():
            content, when = path.read_bytes(), formatdate(path.stat().st_mtime, usegmt=True)
            self._send(200, content, {"ETag": _etag(content), "Last-Modified": when})
        elif path.is_dir() and path.parent == self.drive:
            self._send(200, self._listed(path))
        else:
            self._send(404)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        path = self._object()
        if path is None:
            return
        if path.parent == self.drive:
            path.mkdir(exist_ok=True)
        elif not (self.drive / path.relative_to(self.drive).parts[0]).is_dir():
            self._send(404, b"<Error><Code>NoSuchBucket</Code></Error>")
            return
        else:
            path.parent.mkdir(parents=True, exist_ok=True)
            # Nobody reads half an object.
            with tempfile.NamedTemporaryFile(dir=path.parent, delete=False) as scratch:
                scratch.write(body)
            Path(scratch.name).rename(path)
        self._send(200)

    def do_DELETE(self) -> None:
        path = self._object()
        if path is not None:
            path.unlink(missing_ok=True)
            self._send(204)

    def _listed(self, bucket: Path) -> bytes:
        """ListObjectsV2, all in one answer."""
        query = {key: values[0] for key, values in parse_qs(urlsplit(self.path).query).items()}
        start, end = query.get("prefix", ""), query.get("delimiter", "")
        coded = query.get("encoding-type") == "url"
        found, folders = [], set()
        for path in sorted(each for each in bucket.rglob("*") if each.is_file()):
            key = str(path.relative_to(bucket))
            if not key.startswith(start):
                continue
            name = quote(key) if coded else escape(key)
            inner, cut, _ = key[len(start) :].partition(end) if end else (key, "", "")
            if cut:
                folders.add(
                    f"<CommonPrefixes><Prefix>{quote(start + inner) if coded else start + inner}{end}</Prefix></CommonPrefixes>"
                )
                continue
            about = path.stat()
            when = datetime.fromtimestamp(about.st_mtime, UTC).strftime("%Y-%m-%dT%H:%M:%S.000Z")
            found.append(
                f"<Contents><Key>{name}</Key><LastModified>{when}</LastModified><ETag>{escape(_etag(path.read_bytes()))}</ETag>"
                f"<Size>{about.st_size}</Size></Contents>"
            )
        whole = "".join((*found, *sorted(folders)))
        form = "<EncodingType>url</EncodingType>" if coded else ""
        return f"<ListBucketResult><IsTruncated>false</IsTruncated>{form}{whole}</ListBucketResult>".encode()

    def _object(self) -> Path | None:
        """The file of this request; None when it has been answered already."""
        path = unquote(urlsplit(self.path).path)
        if path in ("/minio/health/live", "/minio/health/ready", "/minio/health/cluster"):
            self._send(200)
            return None
        if f"Credential={os.environ['MINIO_ROOT_USER']}/" not in self.headers.get("Authorization", ""):
            self._send(403, b"<Error><Code>AccessDenied</Code></Error>")
            return None
        found = (self.drive / path.lstrip("/")).resolve()
        if not found.is_relative_to(self.drive) or found == self.drive:
            self._send(400)
            return None
        return found

    def _send(self, status: int, body: bytes = b"", headers: dict[str, str] | None = None) -> None:
        self.send_response(status)
        for name, value in (headers or {}).items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: probes come every few seconds."""


def _etag(content: bytes) -> str:
    return f'"{hashlib.md5(content, usedforsecurity=False).hexdigest()}"'


def main(arguments: list[str]) -> int:
    """minio server DRIVE [--address HOST:PORT]"""
    if arguments[:1] != ["server"] or len(arguments) < 2:
        print("usage: minio server DRIVE [--address HOST:PORT]", file=sys.stderr)
        return 1
    address = arguments[arguments.index("--address") + 1] if "--address" in arguments else ":9000"
    host, _, port = address.rpartition(":")
    Handler.drive = Path(arguments[1]).resolve()
    with ThreadingHTTPServer((host, int(port)), Handler) as server:
        print(f"API: http://{address}", flush=True)
        server.serve_forever()
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
