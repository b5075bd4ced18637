"""A phone of Jane's: what it writes into her calendar and her contacts, and how answers are read."""

from __future__ import annotations

import json
import re
import uuid
from pathlib import Path

from tests.acceptance.stack import JANE, PASSWORD, Stack

SERVICES = ("caldav", "carddav")

_EVENT = """\
BEGIN:VCALENDAR
VERSION:2.0
PRODID:-//Lab//Phone//EN
BEGIN:VEVENT
UID:{uid}
DTSTAMP:20261101T080000Z
DTSTART:20261124T090000Z
DTEND:20261124T100000Z
SUMMARY:Café with Zoë
{more}END:VEVENT
END:VCALENDAR
"""
_CONTACT = """\
BEGIN:VCARD
VERSION:3.0
UID:{uid}
FN:Zoë Müller
N:Müller;Zoë;;;
EMAIL;TYPE=WORK:zoe@elsewhere.test
{more}END:VCARD
"""
_OBJECTS = {"caldav": (_EVENT, "text/calendar"), "carddav": (_CONTACT, "text/vcard")}


def collection(stack: Stack, service: str) -> str:
    """Her default one."""
    found = json.loads(stack.client("discover", service, JANE, PASSWORD))["collections"]
    return next(url for url in found if url.rstrip("/").endswith("/Default"))


def put(stack: Stack, service: str, folder: Path | None = None, more: str = "") -> tuple[str, str]:
    """A new event or contact in Jane's default collection: where it is, and what was written."""
    form, kind = _OBJECTS[service]
    name = str(uuid.uuid4())
    content = form.format(uid=name, more=more).replace("\n", "\r\n")
    url = f"{collection(stack, service)}{name}.{'ics' if service == 'caldav' else 'vcf'}"
    body = content
    if folder:
        # Too long for a command line.
        file = folder / name
        file.write_bytes(content.encode())
        body = f"@{file}"
    status, _, text = answer(
        stack.client("dav", "PUT", url, JANE, PASSWORD, body, f"Content-Type: {kind}; charset=utf-8")
    )
    assert status == 201, f"{status} {text}"
    return url, content


def answer(printed: str) -> tuple[int, dict[str, str], str]:
    """Status, headers and body of what the client printed."""
    head, _, body = printed.partition("\n\n")
    status, *headers = head.splitlines()
    return int(status), dict(line.split(": ", 1) for line in headers), body


def lines(content: str) -> list[tuple[list[str], str]]:
    """Lines as they are meant: unfolded (RFC 5545 section 3.1), in any order, with parameters in any order."""
    parts = (line.partition(":") for line in re.sub(r"\r?\n[ \t]", "", content).splitlines())
    return sorted((sorted(head.split(";")), value) for head, _, value in parts)
