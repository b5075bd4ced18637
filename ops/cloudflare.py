"""The records of a zone at Cloudflare, read through its API (GET /zones/{zone_id}/dns_records). Nothing is written."""

from __future__ import annotations

import json
import os
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Iterator, Mapping
from typing import Any

from model.identity.adoption import Existing
from model.identity.presentation import absolute, relative
from model.identity.rdata import CAA, TXT, Other, Value, parse_value
from model.identity.record import Record
from ops.stacks import StackProblem

BASE = "https://api.cloudflare.com/client/v4"
"""The API; CLOUDFLARE_BASE_URL names another one, as it does for the provider."""
_PAGE = 100
_TIMEOUT = 30


class Api:
    """The API with one token, which no message ever shows."""

    def __init__(self, token: str, base: str | None = None) -> None:
        self._token = token
        self._base = (base or os.environ.get("CLOUDFLARE_BASE_URL") or BASE).rstrip("/")

    def records(self, zone: str, zone_id: str) -> list[Existing]:
        """Every record of a zone, in the order of the API. Raises StackProblem when it cannot be read."""
        return [_existing(each, zone) for each in self._all(zone, zone_id)]

    def _all(self, zone: str, zone_id: str) -> Iterator[Mapping[str, Any]]:
        page = 1
        while True:
            query = urllib.parse.urlencode({"page": page, "per_page": _PAGE})
            path = f"/zones/{urllib.parse.quote(zone_id, safe='')}/dns_records?{query}"
            answer = self._get(zone, path)
            found = answer.get("result") or []
            yield from found
            # Pages are counted in the answer; an answer without a count is the only one.
            if page >= int((answer.get("result_info") or {}).get("total_pages") or 1) or not found:
                return
            page += 1

    def _get(self, zone: str, path: str) -> Mapping[str, Any]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "application/json"}
        request = urllib.request.Request(f"{self._base}{path}", headers=headers)  # noqa: S310
        try:
            with urllib.request.urlopen(request, timeout=_TIMEOUT) as answer:  # noqa: S310
                body = answer.read()
        except urllib.error.HTTPError as error:
            raise StackProblem(_refused(zone, _said(error.read()) or f"HTTP {error.code}")) from None
        except (OSError, ValueError) as error:
            raise StackProblem(f"the API of Cloudflare cannot be reached: {error}") from None
        try:
            found = json.loads(body)
            if found["success"] is True:
                return dict(found)
        except (ValueError, KeyError, TypeError):
            raise StackProblem(
                f"the API of Cloudflare gives no answer about {zone} that can be read"
            ) from None
        raise StackProblem(_refused(zone, _said(body)))


def _said(body: bytes) -> str:
    """The API's own words."""
    try:
        errors = json.loads(body)["errors"]
        return "; ".join(f"{error['code']}: {error['message']}" for error in errors)
    except (ValueError, KeyError, TypeError):
        return ""


def _refused(zone: str, said: str) -> str:
    return (
        f"the API of Cloudflare does not show the records of {zone}: {said or 'no reason given'}. Fix: the zone id in"
        f" kolab:dns.zones, and a token in kolab:cloudflareApiToken that has Zone / DNS / Edit for this zone"
    )


def _existing(raw: Mapping[str, Any], zone: str) -> Existing:
    name = relative(str(raw.get("name") or zone))
    ttl = int(raw.get("ttl") or 1)
    record = Record(name, _value(raw), ttl)
    return Existing(record, str(raw.get("id") or ""), raw.get("proxied") is True)


def _value(raw: Mapping[str, Any]) -> Value:
    """The value; as text for types that this stack does not publish and for what cannot be read."""
    kind, content = str(raw.get("type")), str(raw.get("content") or "")
    data = raw.get("data")
    try:
        return parse_value(kind, _presentation(kind, content, data or {}, raw.get("priority")))
    except (ValueError, KeyError, TypeError):
        return Other(kind, content)


def _presentation(kind: str, content: str, data: Mapping[str, Any], priority: Any) -> str:
    """As a zone file has it. The API gives names without the final dot, and some types in parts."""
    text = content
    match kind:
        case "TXT" if not content.startswith('"'):
            # Quotes are given back as they were entered, and older records have none.
            text = str(TXT(content))
        case "MX":
            text = f"{int(priority)} {absolute(content)}"
        case "SRV" if data:
            text = f"{data['priority']} {data['weight']} {data['port']} {absolute(data['target'])}"
        case "CAA" if data:
            text = str(CAA(int(data["flags"]), data["tag"], data["value"]))
        case "TLSA" if data:
            text = f"{data['usage']} {data['selector']} {data['matching_type']} {data['certificate']}"
        case "CNAME" | "NS" | "PTR":
            text = absolute(content)
    return text
