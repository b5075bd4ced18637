"""The part of Cloudflare's API that reads the records of a zone, over HTTP on loopback, for tests.

Answers have the shape that the API's reference gives for `GET /zones/{zone_id}/dns_records`; `SHAPE` is that reference
as a schema, and every answer is held to it before it is sent.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from jsonschema import Draft202012Validator

TOKEN = "t" * 40
"""The token that may read."""

_RECORD: dict[str, Any] = {
    "type": "object",
    "required": ["id", "name", "type", "content", "ttl", "proxied", "proxiable", "created_on", "modified_on"],
    "additionalProperties": False,
    "properties": {
        "id": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
        "name": {"type": "string"},
        "type": {"type": "string"},
        "content": {"type": "string"},
        "ttl": {"type": "number"},
        "proxied": {"type": "boolean"},
        "proxiable": {"type": "boolean"},
        "priority": {"type": "number"},
        "data": {"type": "object"},
        "comment": {"type": ["string", "null"]},
        "tags": {"type": "array"},
        "settings": {"type": "object"},
        "meta": {"type": "object"},
        "created_on": {"type": "string"},
        "modified_on": {"type": "string"},
    },
}
_MESSAGES = {"type": "array", "items": {"type": "object", "required": ["code", "message"]}}
SHAPE = Draft202012Validator(
    {
        "type": "object",
        "required": ["success", "errors", "messages", "result"],
        "properties": {
            "success": {"type": "boolean"},
            "errors": _MESSAGES,
            "messages": _MESSAGES,
            "result": {"type": ["array", "null"], "items": _RECORD},
            "result_info": {
                "type": "object",
                "required": ["page", "per_page", "count", "total_count", "total_pages"],
            },
        },
    }
)

Row = Mapping[str, Any]
"""A record as the plugin's world has it (tests/support/cloudflare.py), with its id."""


@dataclass
class Api:
    """One running API. `asked` are the pages that somebody wanted."""

    base: str
    asked: list[str] = field(default_factory=list)
    methods: set[str] = field(default_factory=set)


@contextmanager
def serving(rows: Callable[[], Sequence[Row]], token: str = TOKEN) -> Iterator[Api]:
    """The API in front of these records, for who has the token."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            api.asked.append(self.path)
            api.methods.add(self.command)
            status, body = _answer(self.path, self.headers.get("Authorization") == f"Bearer {token}", rows())
            SHAPE.validate(body)
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.end_headers()
            self.wfile.write(json.dumps(body).encode())

        def log_message(self, *_: Any) -> None:
            """Nothing on the terminal."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()
        api = Api(f"http://127.0.0.1:{server.server_port}/client/v4")
        try:
            yield api
        finally:
            server.shutdown()


def _answer(path: str, known: bool, rows: Sequence[Row]) -> tuple[int, dict[str, Any]]:
    if not known:
        return 403, _refused(10000, "Authentication error")
    parts, query = urlsplit(path), parse_qs(urlsplit(path).query)
    *_, zone, last = parts.path.split("/")
    if last != "dns_records" or not parts.path.startswith("/client/v4/zones/"):
        return 400, _refused(
            7003, f"Could not route to {parts.path}, perhaps your object identifier is invalid?"
        )
    found = [row for row in rows if row["zoneId"] == zone]
    if not found:
        return 403, _refused(9109, "Unauthorized to access requested resource")
    page, size = int(query.get("page", ["1"])[0]), int(query.get("per_page", ["100"])[0])
    shown = found[(page - 1) * size : page * size]
    return 200, {
        "success": True,
        "errors": [],
        "messages": [],
        "result": [_shown(row) for row in shown],
        "result_info": {
            "page": page,
            "per_page": size,
            "count": len(shown),
            "total_count": len(found),
            "total_pages": -(-len(found) // size),
        },
    }


def _refused(code: int, message: str) -> dict[str, Any]:
    return {"success": False, "errors": [{"code": code, "message": message}], "messages": [], "result": None}


def _shown(row: Row) -> dict[str, Any]:
    data = row.get("data")
    content = row.get("content") or " ".join(str(value) for value in (data or {}).values())
    shown = {
        "id": row["id"],
        "name": row["name"],
        "type": row["type"],
        "content": content,
        "ttl": row["ttl"],
        "proxied": row.get("proxied", False),
        "proxiable": row["type"] in ("A", "AAAA", "CNAME"),
        "comment": row.get("comment"),
        "tags": [],
        "settings": {},
        "meta": {},
        "created_on": "2019-05-01T00:00:00Z",
        "modified_on": "2019-05-01T00:00:00Z",
    }
    optional = {"priority": row.get("priority"), "data": data}
    return shown | {key: value for key, value in optional.items() if value is not None}
