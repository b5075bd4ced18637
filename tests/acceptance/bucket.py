"""A bucket of a provider on the lab's internet: as much of S3 as restic needs, for whoever signs with the right key.

`python -m tests.acceptance.bucket ADDRESS FOLDER` reads `identity.pem` and `login` (`access key:secret key`) there, keeps
objects below `objects`, and says `listening` once it does. It appends a line of JSON to `seen` for each request: the access
key that it was signed with, and whether the signature is right (AWS Signature Version 4). Nothing is deleted but locks.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import re
import ssl
import sys
from email.utils import formatdate
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import parse_qsl, quote, unquote, urlsplit
from xml.sax.saxutils import escape

HOST, PORT, BUCKET = "bucket.provider.test", 9000, "backups"
_SIGNED = re.compile(
    r"AWS4-HMAC-SHA256 Credential=([^/]+)/(\d{8}/[^/]+/s3/aws4_request), ?SignedHeaders=([^,]+), ?Signature=([0-9a-f]{64})"
)


class Handler(BaseHTTPRequestHandler):
    """One connection. Paths are `/bucket/key`."""

    protocol_version = "HTTP/1.1"
    folder: Path

    def do_GET(self) -> None:
        key = self._key()
        if key is None:
            return
        if not key:
            self._list()
            return
        file = self._file(key)
        if not file.is_file():
            self._say(404, "NoSuchKey")
            return
        content, headers = file.read_bytes(), _about(file)
        part = re.fullmatch(r"bytes=(\d+)-(\d*)", self.headers.get("Range", ""))
        if part:
            first, last = int(part[1]), int(part[2] or len(content) - 1)
            headers["Content-Range"] = f"bytes {first}-{last}/{len(content)}"
            content = content[first : last + 1]
        self._send(206 if part else 200, content, headers)

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        key = self._key()
        if not key:
            return
        file = self._file(key)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(body)
        self._send(200, b"", _about(file))

    def do_DELETE(self) -> None:
        key = self._key()
        if key is None:
            return
        if "/locks/" not in f"/{key}":
            self._say(403, "AccessDenied")
            return
        self._file(key).unlink(missing_ok=True)
        self._send(204, b"", {})

    def _key(self) -> str | None:
        """The object that is asked for, '' for the bucket itself; None when the request has been answered already."""
        access, right = self._signer()
        with (self.folder / "seen").open("a") as notes:
            notes.write(json.dumps({"key": access, "right": right}) + "\n")
        bucket, _, key = unquote(urlsplit(self.path).path).lstrip("/").partition("/")
        if not right:
            self._say(403, "SignatureDoesNotMatch")
        elif bucket != BUCKET or ".." in key:
            self._say(404, "NoSuchBucket")
        else:
            return key
        return None

    def _signer(self) -> tuple[str, bool]:
        """Whose key signed the request, and whether it did (AWS: Signature Version 4, "Create a signed request")."""
        access, secret = (self.folder / "login").read_text().split(":")
        match = _SIGNED.fullmatch(self.headers.get("Authorization", ""))
        if match is None:
            return "", False
        shown, scope, names, signature = match.groups()
        url = urlsplit(self.path)
        pairs = sorted(parse_qsl(url.query, keep_blank_values=True))
        query = "&".join(f"{quote(key, safe='-_.~')}={quote(value, safe='-_.~')}" for key, value in pairs)
        headers = "".join(
            f"{name}:{' '.join((self.headers[name] or '').split())}\n" for name in names.split(";")
        )
        digest = self.headers.get("x-amz-content-sha256", "")
        request = "\n".join((self.command, url.path, query, headers, names, digest))
        asked = "\n".join(
            (
                "AWS4-HMAC-SHA256",
                self.headers["x-amz-date"],
                scope,
                hashlib.sha256(request.encode()).hexdigest(),
            )
        )
        key = f"AWS4{secret}".encode()
        for part in scope.split("/"):
            key = hmac.new(key, part.encode(), hashlib.sha256).digest()
        made = hmac.new(key, asked.encode(), hashlib.sha256).hexdigest()
        return shown, shown == access and hmac.compare_digest(made, signature)

    def _list(self) -> None:
        """ListObjectsV2, in one page."""
        asked = dict(parse_qsl(urlsplit(self.path).query, keep_blank_values=True))
        prefix, delimiter = asked.get("prefix", ""), asked.get("delimiter", "")
        root = self.folder / "objects"
        keys = sorted(str(path.relative_to(root)) for path in root.rglob("*") if path.is_file())
        keys = [key for key in keys if key.startswith(prefix)]
        groups = sorted(
            {
                prefix + key[len(prefix) :].partition("/")[0] + "/"
                for key in keys
                if delimiter and "/" in key[len(prefix) :]
            }
        )
        whole = [key for key in keys if not delimiter or "/" not in key[len(prefix) :]]
        found = "".join(
            f"<Contents><Key>{escape(key)}</Key><LastModified>2026-01-01T00:00:00.000Z</LastModified>"
            f"<Size>{self._file(key).stat().st_size}</Size></Contents>"
            for key in whole
        ) + "".join(f"<CommonPrefixes><Prefix>{escape(group)}</Prefix></CommonPrefixes>" for group in groups)
        page = (
            f'<?xml version="1.0" encoding="UTF-8"?><ListBucketResult xmlns="http://s3.amazonaws.com/doc/2006-03-01/">'
            f"<Name>{BUCKET}</Name><IsTruncated>false</IsTruncated>{found}</ListBucketResult>"
        )
        self._send(200, page.encode(), {"Content-Type": "application/xml"})

    def _file(self, key: str) -> Path:
        return self.folder / "objects" / key

    def _say(self, status: int, code: str) -> None:
        self._send(
            status, f"<Error><Code>{code}</Code></Error>".encode(), {"Content-Type": "application/xml"}
        )

    def _send(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        if status != 204:
            self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Nothing: restic asks a lot."""


def _about(file: Path) -> dict[str, str]:
    state = file.stat()
    return {"ETag": f'"{state.st_mtime_ns:032x}"', "Last-Modified": formatdate(state.st_mtime, usegmt=True)}


def main(address: str, folder: str) -> None:
    """Serves until it is ended."""
    Handler.folder = Path(folder)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(Handler.folder / "identity.pem")
    with ThreadingHTTPServer((address, PORT), Handler) as server:
        server.socket = context.wrap_socket(server.socket, server_side=True)
        print("listening", flush=True)
        server.serve_forever()


if __name__ == "__main__":
    main(*sys.argv[1:])
