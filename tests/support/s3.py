"""A client of S3 that signs by itself (AWS Signature Version 4) and asks by path, as the web application does.

`python -m tests.support.s3 HOST PORT ACCESS SECRET STEPS [tls]` takes steps as JSON, `[method, path, body, query]` each, and prints
what is answered to each. A body is text, or a number: so many MiB that follow from the path. Method PARTS uploads in parts.
"""

from __future__ import annotations

import datetime
import hashlib
import hmac
import http.client
import json
import random
import re
import ssl
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlencode

_SECONDS = 60
_MIB = 1024**2
_PART = 20 * _MIB


@dataclass(frozen=True)
class Answer:
    """What a server says to one request."""

    status: int
    body: bytes
    headers: Mapping[str, str]

    @property
    def code(self) -> str:
        """The word of an error, such as AccessDenied; "" without one."""
        found = re.search(rb"<Code>(\w+)</Code>", self.body)
        return found[1].decode() if found else ""


@dataclass(frozen=True)
class Client:
    """Somebody with a pair of keys, or with none: then nothing is signed."""

    host: str
    port: int
    access: str = ""
    secret: str = ""
    region: str = "local"
    tls: bool = False
    """Whether by HTTPS, whoever answers."""

    def ask(
        self, method: str, path: str, body: bytes = b"", query: Mapping[str, str] | None = None
    ) -> Answer:
        """One request for `path`, which begins with the bucket."""
        asked = urlencode(sorted((query or {}).items()), quote_via=quote)
        target = quote(f"/{path}")
        headers = self._signed(method, target, asked, body) if self.access else {}
        connection = self._connection()
        try:
            connection.request(method, f"{target}?{asked}" if asked else target, body, headers)
            answer = connection.getresponse()
            return Answer(answer.status, answer.read(), {k.lower(): v for k, v in answer.getheaders()})
        finally:
            connection.close()

    def _connection(self) -> http.client.HTTPConnection:
        if not self.tls:
            return http.client.HTTPConnection(self.host, self.port, timeout=_SECONDS)
        anybody = ssl.create_default_context()
        anybody.check_hostname, anybody.verify_mode = False, ssl.CERT_NONE
        return http.client.HTTPSConnection(self.host, self.port, timeout=_SECONDS, context=anybody)

    def put_in_parts(self, path: str, parts: list[bytes]) -> Answer:
        """An upload of several parts, put together in the end."""
        begun = self.ask("POST", path, query={"uploads": ""})
        upload = re.search(rb"<UploadId>([^<]+)</UploadId>", begun.body)
        if upload is None:
            return begun
        tags = []
        for number, part in enumerate(parts, 1):
            kept = self.ask("PUT", path, part, {"partNumber": str(number), "uploadId": upload[1].decode()})
            if kept.status != 200:
                return kept
            tags.append(f"<Part><PartNumber>{number}</PartNumber><ETag>{kept.headers['etag']}</ETag></Part>")
        whole = f"<CompleteMultipartUpload>{''.join(tags)}</CompleteMultipartUpload>".encode()
        return self.ask("POST", path, whole, {"uploadId": upload[1].decode()})

    def _signed(self, method: str, target: str, query: str, body: bytes) -> dict[str, str]:
        moment = f"{datetime.datetime.now(datetime.UTC):%Y%m%dT%H%M%SZ}"
        digest = hashlib.sha256(body).hexdigest()
        headers = {
            "host": f"{self.host}:{self.port}",
            "x-amz-content-sha256": digest,
            "x-amz-date": moment,
        }
        names = ";".join(headers)
        lines = "".join(f"{name}:{value}\n" for name, value in headers.items())
        canonical = f"{method}\n{target}\n{query}\n{lines}\n{names}\n{digest}"
        scope = f"{moment[:8]}/{self.region}/s3/aws4_request"
        text = f"AWS4-HMAC-SHA256\n{moment}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
        key = f"AWS4{self.secret}".encode()
        for part in scope.split("/"):
            key = hmac.digest(key, part.encode(), "sha256")
        signature = hmac.new(key, text.encode(), "sha256").hexdigest()
        signed = (
            f"AWS4-HMAC-SHA256 Credential={self.access}/{scope},SignedHeaders={names},Signature={signature}"
        )
        return {**headers, "authorization": signed}


def content(path: str, size: int) -> bytes:
    """So many MiB, which look like noise and are always the same for a path."""
    return random.Random(path).randbytes(size * _MIB)  # noqa: S311 (nothing secret)


def steps(client: Client, wanted: Sequence[Sequence[Any]]) -> Iterator[dict[str, Any]]:
    """What is answered to each step: status, word of an error, length and SHA-256 of what came."""
    for method, path, given, query in wanted:
        body = content(path, given) if isinstance(given, int) else given.encode()
        if method == "PARTS":
            parts = [body[start : start + _PART] for start in range(0, len(body), _PART)]
            answer = client.put_in_parts(path, parts)
        else:
            answer = client.ask(method, path, body, query)
        digest = hashlib.sha256(answer.body).hexdigest()
        yield {"status": answer.status, "code": answer.code, "length": len(answer.body), "sha256": digest}


def main(arguments: Sequence[str]) -> None:
    """As the module says."""
    host, port, access, secret, wanted, *how = arguments
    client = Client(host, int(port), access, secret, tls="tls" in how)
    print(json.dumps(list(steps(client, json.loads(wanted)))))


if __name__ == "__main__":
    main(sys.argv[1:])
