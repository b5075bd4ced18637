"""What one message says about our mail: DMARC aggregate reports (RFC 9990, RFC 7489) and TLS reports (RFC 8460).

Anybody may send one, so it is read as an attack: in a process of its own with little memory and time, XML without a document
type (no entities), archives of one file, unpacked piece by piece up to a limit, nothing that is inside of what was unpacked.
A message on standard input, JSON on standard output. Runs on the image's Python (3.7 or newer), without anything beside it.
"""

import argparse
import calendar
import email
import ipaddress
import json
import resource
import sys
import time
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from email.message import Message
from io import BytesIO
from itertools import chain
from typing import Any
from xml.parsers import expat

MEMORY, SECONDS = 192 << 20, 5
"""Bytes and seconds of CPU that reading one message may take."""
UNPACKED = 32 << 20
"""Bytes of a report: the largest that big receivers send are a tenth of that."""
JSON_BYTES = 4 << 20
"""The same of one that has to be held in memory as a whole."""
MOST = 10**9
"""Messages or sessions that one line can be about."""
AGE, AHEAD = 60 * 86400, 2 * 86400
"""Seconds that the end of a report may lie in the past, and in the future (clocks, and days that are not over)."""
TYPES = (
    "starttls-not-supported", "certificate-host-mismatch", "certificate-expired", "certificate-not-trusted",
    "validation-failure", "tlsa-invalid", "dnssec-invalid", "dane-required", "sts-policy-fetch-error",
    "sts-policy-invalid", "sts-webpki-invalid",
)  # fmt: skip
"""Failures that RFC 8460 section 4.3 knows; others are `other`."""
_PIECE, _PARTS, _DEPTH, _TEXT = 1 << 16, 20, 12, 255
_META, _ROW = ("feedback", "report_metadata"), ("feedback", "record", "row")
_WANTED = {
    (*_META, "org_name"): "by",
    (*_META, "report_id"): "id",
    (*_META, "date_range", "begin"): "from",
    (*_META, "date_range", "end"): "to",
    ("feedback", "policy_published", "domain"): "domain",
    (*_ROW, "source_ip"): "ip",
    (*_ROW, "count"): "count",
    (*_ROW, "policy_evaluated", "dkim"): "dkim",
    (*_ROW, "policy_evaluated", "spf"): "spf",
}


class Refused(Exception):
    """A message that is not counted, with the reason: limits, malformed, no-report or other-domain."""


class Ours:
    """Which domains and which addresses are ours."""

    def __init__(self, domains: "list[str]", addresses: "list[str]") -> None:
        self._domains = sorted((each.lower() for each in domains), key=len, reverse=True)
        self._addresses = {ipaddress.ip_address(each) for each in addresses}

    def domain(self, name: str) -> str:
        """The domain of ours that this name is, or belongs to. Raises Refused."""
        wanted = name.strip().rstrip(".").lower()
        for each in self._domains:
            if wanted == each or wanted.endswith("." + each):
                return each
        raise Refused("other-domain")

    def sent(self, address: str) -> bool:
        """Whether mail from there is what we send. Raises Refused for what is no address."""
        try:
            return ipaddress.ip_address(address.strip()) in self._addresses
        except ValueError:
            raise Refused("malformed") from None


class Feedback:
    """A DMARC report while it is parsed: no tree is made, so a long one takes no more memory than a short one."""

    def __init__(self, ours: Ours) -> None:
        self._ours, self._text = ours, ""
        self._path: list[str] = []
        self._meta: dict[str, str] = {}
        self._row: dict[str, str] = {}
        self.counts = {"ours": {"aligned": 0, "failed": 0}, "others": {"aligned": 0, "failed": 0}}
        self._parser = parser = expat.ParserCreate()
        parser.StartDoctypeDeclHandler = self._refuse
        parser.StartElementHandler, parser.EndElementHandler = self._start, self._end
        parser.CharacterDataHandler = self._data

    def feed(self, pieces: "Iterator[bytes]") -> "dict[str, Any]":
        """The report. Raises Refused."""
        try:
            for piece in pieces:
                self._parser.Parse(piece, False)
            self._parser.Parse(b"", True)
        except expat.ExpatError:
            raise Refused("malformed") from None
        meta = self._meta
        if not {"by", "id", "from", "to", "domain"} <= set(meta):
            raise Refused("malformed")
        head = _head("dmarc", meta["by"], meta["id"], _number(meta["from"]), _number(meta["to"]))
        return {**head, "domain": self._ours.domain(meta["domain"]), **self.counts}

    def _refuse(self, *_: object) -> None:
        raise Refused("malformed")

    def _start(self, name: str, _: object) -> None:
        self._path.append(name.rpartition(":")[2])
        self._text = ""
        if len(self._path) > _DEPTH:
            raise Refused("limits")
        if self._path[0] != "feedback":
            raise Refused("no-report")

    def _data(self, text: str) -> None:
        if len(self._text) < _TEXT:
            self._text += text

    def _end(self, _: str) -> None:
        path = tuple(self._path)
        self._path.pop()
        wanted = _WANTED.get(path)
        if wanted:
            (self._row if path[: len(_ROW)] == _ROW else self._meta)[wanted] = self._text.strip()
        elif path == _ROW[:2]:
            self._count()

    def _count(self) -> None:
        row, self._row = self._row, {}
        if "ip" not in row or "count" not in row:
            raise Refused("malformed")
        whose = self.counts["ours" if self._ours.sent(row["ip"]) else "others"]
        aligned = "pass" in (row.get("dkim", "").lower(), row.get("spf", "").lower())
        verdict = "aligned" if aligned else "failed"
        whose[verdict] = _sum(whose[verdict], row["count"])


def tls(text: bytes, ours: Ours) -> "list[dict[str, Any]]":
    """What a TLS report says about each of its policies. Raises Refused."""
    try:
        said = json.loads(text.decode("utf-8-sig"), parse_int=_number)
        begun, ended = (_moment(said["date-range"][key]) for key in ("start-datetime", "end-datetime"))
        head = _head("tls", said["organization-name"], said["report-id"], begun, ended)
        return [{**head, **_policy(each, ours)} for each in list(said["policies"])[:_PARTS]]
    except (KeyError, TypeError, ValueError, AttributeError):
        raise Refused("malformed") from None


def _policy(said: "dict[str, Any]", ours: Ours) -> "dict[str, Any]":
    types: dict[str, int] = {}
    for each in list(said.get("failure-details") or ()):
        kind = each["result-type"] if each["result-type"] in TYPES else "other"
        types[kind] = _sum(types.get(kind, 0), each.get("failed-session-count", 0))
    summary = said["summary"]
    return {
        "domain": ours.domain(str(said["policy"]["policy-domain"])),
        "good": _sum(0, summary["total-successful-session-count"]),
        "failed": _sum(0, summary["total-failure-session-count"]),
        "types": types,
    }


def read(message: bytes, ours: Ours) -> "list[dict[str, Any]]":
    """All reports of a message. Raises Refused, also where a part of it is refused."""
    found: list[dict[str, Any]] = []
    for payload in _payloads(email.message_from_bytes(message)):
        found += _report(payload, ours)
    if not found:
        raise Refused("no-report")
    return found


def _payloads(message: Message) -> "Iterator[bytes]":
    for number, part in enumerate(message.walk()):
        if number == _PARTS:
            raise Refused("limits")
        if part.is_multipart() or part.get_content_type() in ("text/plain", "text/html"):
            continue
        payload = part.get_payload(decode=True)
        if isinstance(payload, bytes) and payload.strip():
            yield payload


def _report(payload: bytes, ours: Ours) -> "list[dict[str, Any]]":
    pieces = _unpacked(payload)
    first = next(pieces, b"").lstrip(b"\xef\xbb\xbf \t\r\n")
    whole = chain([first], pieces)
    if first[:1] == b"<":
        return [Feedback(ours).feed(whole)]
    if first[:1] != b"{":
        # A picture in a signature, a key, a report that is packed twice.
        return []
    text = b"".join(whole)
    if len(text) > JSON_BYTES:
        raise Refused("limits")
    return tls(text, ours)


def _unpacked(payload: bytes) -> "Iterator[bytes]":
    """A file, or the one in an archive, piece by piece. Raises Refused."""
    total = 0
    pack = _unzipped if payload[:4] == b"PK\x03\x04" else _inflated if payload[:2] == b"\x1f\x8b" else _plain
    try:
        for piece in pack(payload):
            total += len(piece)
            if total > UNPACKED:
                raise Refused("limits")
            yield piece
    except (zlib.error, zipfile.BadZipFile, EOFError, OSError, NotImplementedError, RuntimeError):
        raise Refused("malformed") from None


def _plain(payload: bytes) -> "Iterator[bytes]":
    for at in range(0, len(payload), _PIECE):
        yield payload[at : at + _PIECE]


def _inflated(payload: bytes) -> "Iterator[bytes]":
    gzip = zlib.decompressobj(31)
    while not gzip.eof:
        piece = gzip.decompress(payload, _PIECE)
        payload = gzip.unconsumed_tail
        if not piece and not payload:
            raise EOFError
        yield piece


def _unzipped(payload: bytes) -> "Iterator[bytes]":
    with zipfile.ZipFile(BytesIO(payload)) as archive:
        files = [each for each in archive.infolist() if not each.is_dir()]
        # The other methods take as much memory as whoever packed it likes.
        if len(files) != 1 or files[0].compress_type not in (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED):
            raise Refused("malformed")
        with archive.open(files[0]) as file:
            yield from iter(lambda: file.read(_PIECE), b"")


def _head(kind: str, by: object, name: object, begun: int, ended: int) -> "dict[str, Any]":
    now = time.time()
    if not now - AGE < ended < now + AHEAD or not 0 <= ended - begun <= AGE:
        raise Refused("malformed")
    return {"kind": kind, "by": _clean(by), "id": _clean(name), "from": begun, "to": ended}


def _number(value: object) -> int:
    """A count or a time. Raises Refused."""
    text = str(value).strip()
    # Only digits of ASCII, and no more of them than can mean something.
    if isinstance(value, (bool, float)) or not text.isascii() or not text.isdigit() or len(text) > 12:
        raise Refused("malformed")
    return int(text)


def _sum(known: int, value: object) -> int:
    if known + _number(value) > MOST:
        raise Refused("limits")
    return known + _number(value)


def _moment(text: str) -> int:
    moment = datetime.fromisoformat(text.strip().replace("Z", "+00:00"))
    return calendar.timegm(moment.utctimetuple())


def _clean(text: object) -> str:
    """As terminals and logs may have it."""
    kept = "".join(each if each.isprintable() and each.isascii() else "?" for each in str(text)[:100])
    return kept.strip() or "?"


def main() -> None:
    """Reads a message."""
    limits = {resource.RLIMIT_AS: MEMORY, resource.RLIMIT_CPU: SECONDS, resource.RLIMIT_FSIZE: 0}
    for what, most in limits.items():
        resource.setrlimit(what, (most, most))
    parser = argparse.ArgumentParser()
    parser.add_argument("--domain", action="append", required=True)
    parser.add_argument("--sends", action="append", default=[])
    told = parser.parse_args()
    try:
        said: dict[str, Any] = {"reports": read(sys.stdin.buffer.read(), Ours(told.domain, told.sends))}
    except Refused as refusal:
        said = {"refused": str(refusal)}
    except (MemoryError, RecursionError):
        said = {"refused": "limits"}
    except Exception:  # Whatever a library makes of it: the message is somebody's, and no fault of ours.
        said = {"refused": "malformed"}
    print(json.dumps(said))


if __name__ == "__main__":
    main()
