"""What a message says about our mail, and that no message does any harm, whoever wrote it."""

from __future__ import annotations

import gzip
import json
import resource
import subprocess
import sys
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.support import world_reports as world
from tests.support.world_reports import DAY, FOREIGN, OURS, feedback, mail, policy, tls, zipped

_REPORT = Path("components/scripts/report-reader/report.py").absolute()
_LINE = [sys.executable, str(_REPORT), "--domain=example.org", "--domain=example.net", f"--sends={OURS}"]


def judged(message: bytes) -> dict[str, Any]:
    """What the program makes of a message."""
    done = subprocess.run(_LINE, input=message, capture_output=True, timeout=60, check=False)
    if done.returncode:
        return {"refused": "limits"}
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize(
    ("write", "by"),
    [
        (world.google, "google.example"),
        (world.microsoft, "Enterprise Outlook"),
        (world.yahoo, "Yahoo"),
        (world.newest, "mail.example"),
    ],
    ids=["google", "microsoft", "yahoo", "RFC 9990"],
)
def test_a_dmarc_report_is_counted_however_it_is_packed(write: Callable[[], bytes], by: str) -> None:
    [report] = judged(write())["reports"]
    assert (report["kind"], report["by"], report["domain"]) == ("dmarc", by, "example.org")
    assert report["ours"] == {"aligned": 120, "failed": 3}
    assert report["others"] == {"aligned": 2, "failed": 40}


def test_a_tls_report_is_counted_with_what_failed() -> None:
    [report] = judged(world.sessions())["reports"]
    assert (report["kind"], report["by"], report["domain"]) == ("tls", "Sender Inc.", "example.org")
    assert (report["good"], report["failed"]) == (90, 10)
    assert report["types"] == {"certificate-expired": 7, "other": 3}


def test_reports_about_names_below_a_domain_are_about_the_domain() -> None:
    said = tls([policy(domain="mx.example.org"), policy(domain="Example.NET.")])
    assert [each["domain"] for each in judged(mail(said))["reports"]] == ["example.org", "example.net"]


def test_a_reporters_name_cannot_write_on_terminals() -> None:
    report = feedback(by="evil\u202e\u0085&#10;name", name="x" * 5000)
    [found] = judged(mail(report, "text/xml"))["reports"]
    assert found["by"] == "evil???name"
    assert len(found["id"]) == 100


_LAUGHS = '<?xml version="1.0"?><!DOCTYPE feedback [<!ENTITY a "ha">' + "".join(
    f'<!ENTITY {new} "{f"&{old};" * 10}">' for old, new in zip("abcdefgh", "bcdefghi", strict=True)
)
_OUTSIDE = '<?xml version="1.0"?><!DOCTYPE feedback [<!ENTITY x SYSTEM "file:///etc/passwd">'


def _nested() -> bytes:
    head = "".join(f'Content-Type: multipart/mixed; boundary="b{n}"\n\n--b{n}\n' for n in range(1500))
    return head.encode() + b"Content-Type: text/plain\n\nx\n"


def _locked() -> bytes:
    whole = bytearray(zipped(feedback()))
    for at in (whole.index(b"PK\x03\x04") + 6, whole.index(b"PK\x01\x02") + 8):
        whole[at] |= 1
    return bytes(whole)


_HUGE = b" " * (40 << 20)
_ROW = feedback(((OURS, 1, "pass", "pass"),))

_HARM: dict[str, tuple[Callable[[], bytes], str]] = {
    "an archive that unpacks to forty times what is taken": (lambda: mail(zipped(b"<feedback>" + _HUGE)), "limits"),
    "the same in gzip": (lambda: mail(gzip.compress(b"<feedback>" + _HUGE)), "limits"),
    "JSON that has to be held whole": (lambda: mail(gzip.compress(b'{"a": "' + b"x" * (5 << 20))), "limits"),
    "an archive with two files": (lambda: mail(zipped(feedback(), feedback())), "malformed"),
    "an archive with a password": (lambda: mail(_locked()), "malformed"),
    "an archive packed with LZMA": (lambda: mail(zipped(feedback(), method=zipfile.ZIP_LZMA)), "malformed"),
    "an archive that is cut short": (lambda: mail(zipped(feedback())[:-30]), "malformed"),
    "gzip that is cut short": (lambda: mail(gzip.compress(feedback())[:-20]), "malformed"),
    "an archive in an archive": (lambda: mail(zipped(zipped(feedback()))), "no-report"),
    "a billion laughs": (lambda: mail(feedback(head=_LAUGHS + "]>"), "text/xml"), "malformed"),
    "a file of this machine": (lambda: mail(feedback(head=_OUTSIDE + "]>"), "text/xml"), "malformed"),
    "elements without end": (lambda: mail(b"<feedback>" + b"<a>" * 100_000, "text/xml"), "limits"),
    "another XML": (lambda: mail(b"<svg xmlns='x'><a/></svg>", "text/xml"), "no-report"),
    "no XML": (lambda: mail(b"<feedback><record>", "text/xml"), "malformed"),
    "half a report": (lambda: mail(b"<feedback><version>1.0</version></feedback>", "text/xml"), "malformed"),
    "a report about somebody else": (lambda: mail(feedback(domain="example.com"), "text/xml"), "other-domain"),
    "a name that ends like ours": (lambda: mail(feedback(domain="notexample.org"), "text/xml"), "other-domain"),
    "a report from the future": (lambda: mail(feedback(ended=10 * DAY), "text/xml"), "malformed"),
    "a report of last year": (lambda: mail(feedback(ended=-400 * DAY), "text/xml"), "malformed"),
    "a report without a source": (lambda: mail(_ROW.replace(OURS.encode(), b"localhost"), "text/xml"), "malformed"),
    "less than no messages": (lambda: mail(_ROW.replace(b"<count>1<", b"<count>-1<"), "text/xml"), "malformed"),
    "a number of other digits": (
        lambda: mail(_ROW.replace(b"<count>1<", "<count>\u0661<".encode()), "text/xml"), "malformed",
    ),
    "more messages than there are": (
        lambda: mail(feedback(((OURS, 10**11, "pass", "pass"),)), "text/xml"), "limits",
    ),
    "many lines that add up to that": (
        lambda: mail(feedback(((FOREIGN, 10**9, "fail", "fail"),) * 3), "text/xml"), "limits",
    ),
    "a number of a million digits": (lambda: mail(tls().replace(b"90", b"9" * 1_000_000)), "malformed"),
    "half a session": (lambda: mail(tls([policy(good=0.5)])), "malformed"),
    "no number": (lambda: mail(tls([policy(failed=True)])), "malformed"),
    "lists without end": (lambda: mail(b'{"a":' + b"[" * 200_000), "limits"),
    "a list in place of an object": (lambda: mail(b'{"date-range": []}'), "malformed"),
    "parts without end": (_nested, "limits"),
    "a text": (lambda: b"Subject: hello\n\nNo report.\n", "no-report"),
    "nothing": (lambda: b"", "no-report"),
    "noise": (lambda: mail(bytes(range(256)) * 100), "no-report"),
}  # fmt: skip
"""A message -> why it does not count."""


@pytest.mark.parametrize("what", _HARM)
def test_a_message_that_means_harm_does_not_count_and_takes_no_time(what: str) -> None:
    write, why = _HARM[what]
    message = write()
    before = resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime
    assert judged(message) == {"refused": why}
    assert resource.getrusage(resource.RUSAGE_CHILDREN).ru_utime - before < 2


def test_a_message_gets_no_more_memory_than_its_limit() -> None:
    """Were a library to fall for something, that process ends, and nothing else."""
    greedy = _REPORT.read_text().replace(
        "email.message_from_bytes(message)", "email.message_from_bytes(message * 10**9)"
    )
    line = [sys.executable, "-c", greedy, *_LINE[2:]]
    done = subprocess.run(line, input=world.google(), capture_output=True, timeout=60, check=False)
    assert json.loads(done.stdout) == {"refused": "limits"}


def test_a_report_is_counted_beside_a_picture_and_not_with_a_second_one_that_is_broken() -> None:
    def with_another(payload: bytes) -> bytes:
        whole = world.microsoft().decode()
        [boundary] = {
            line for line in whole.splitlines() if line.startswith("--=") and not line.endswith("==--")
        }
        more = f"{boundary}\nContent-Type: image/png\nContent-Transfer-Encoding: 8bit\n\n".encode() + payload
        return whole.replace(f"{boundary}--", "").encode() + more + f"\n{boundary}--\n".encode()

    assert len(judged(with_another(b"\x89PNG"))["reports"]) == 1
    assert judged(with_another(b"<feedback>")) == {"refused": "malformed"}
