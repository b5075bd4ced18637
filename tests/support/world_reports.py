"""Messages with reports about our mail, as big receivers write them, and as nobody should. Written for these tests after RFC 7489,
RFC 8460 and what such messages look like; addresses and names are those of documentation."""

from __future__ import annotations

import gzip
import io
import json
import time
import zipfile
from email.message import EmailMessage
from typing import Any

DAY = 86400
OURS, FOREIGN = "198.51.100.11", "203.0.113.77"
Row = tuple[str, int, str, str]
"""Source address, messages, verdicts of DKIM and SPF."""
ROWS: tuple[Row, ...] = (
    (OURS, 120, "pass", "pass"),
    (OURS, 3, "fail", "fail"),
    (FOREIGN, 40, "fail", "fail"),
    ("2001:db8::7", 2, "pass", "fail"),
)


def rows(given: tuple[Row, ...]) -> str:
    """Records of a DMARC report."""
    return "".join(
        f"<record><row><source_ip>{ip}</source_ip><count>{count}</count><policy_evaluated><disposition>none</disposition>"
        f"<dkim>{dkim}</dkim><spf>{spf}</spf></policy_evaluated></row>"
        "<identifiers><header_from>example.org</header_from></identifiers>"
        f"<auth_results><dkim><domain>example.org</domain><result>{dkim}</result><selector>k1</selector></dkim>"
        f"<spf><domain>example.org</domain><result>{spf}</result></spf></auth_results></record>\n"
        for ip, count, dkim, spf in given
    )


def feedback(
    given: tuple[Row, ...] = ROWS,
    *,
    domain: str = "example.org",
    by: str = "google.example",
    name: str = "1",
    ended: float = 0,
    root: str = "feedback",
    head: str = '<?xml version="1.0" encoding="UTF-8" ?>',
) -> bytes:
    """A DMARC report about the day before `ended`, seconds from now."""
    end = int(time.time() + ended)
    return (
        f"{head}\n<{root}><version>1.0</version><report_metadata><org_name>{by}</org_name>"
        f"<email>noreply@{by}</email><report_id>{name}</report_id>"
        f"<date_range><begin>{end - DAY}</begin><end>{end}</end></date_range></report_metadata>"
        f"<policy_published><domain>{domain}</domain><adkim>r</adkim><aspf>r</aspf><p>none</p><pct>100</pct></policy_published>\n"
        f"{rows(given)}</{root.partition(' ')[0]}>"
    ).encode()


def tls(policies: list[dict[str, Any]] | None = None, *, ended: float = 0, name: str = "t1") -> bytes:
    """A TLS report about the day before `ended`, seconds from now."""
    ends = [time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(time.time() + ended - off)) for off in (DAY, 0)]
    return json.dumps(
        {
            "organization-name": "Sender Inc.",
            "date-range": dict(zip(("start-datetime", "end-datetime"), ends, strict=True)),
            "contact-info": "smtp-tls-reporting@sender.example",
            "report-id": name,
            "policies": [policy()] if policies is None else policies,
        }
    ).encode()


def policy(good: Any = 90, failed: Any = 10, domain: Any = "example.org", **details: int) -> dict[str, Any]:
    """What a TLS report says about a policy; `details` are failures by type, with underscores."""
    return {
        "policy": {"policy-type": "sts", "policy-domain": domain, "mx-host": ["mx.example.org"]},
        "summary": {"total-successful-session-count": good, "total-failure-session-count": failed},
        "failure-details": [
            {"result-type": kind.replace("_", "-"), "failed-session-count": number}
            for kind, number in details.items()
        ],
    }


def zipped(*files: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """An archive."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", method) as archive:
        for number, file in enumerate(files):
            archive.writestr(f"{number}.xml", file)
    return made.getvalue()


def mail(payload: bytes, kind: str = "application/zip", name: str = "report.zip", *, text: str = "") -> bytes:
    """A message that brings it, alone or with a text before it."""
    message = EmailMessage()
    message["From"], message["To"] = "noreply@google.example", "dmarc-reports@example.org"
    message["Subject"] = "Report domain: example.org Submitter: google.example"
    main, _, sub = kind.partition("/")
    if text:
        message.set_content(text)
        message.add_attachment(payload, main, sub, filename=name)
    else:
        message.set_content(payload, main, sub, filename=name, cte="base64")
    return message.as_bytes()


def google() -> bytes:
    """The archive is the message."""
    return mail(zipped(feedback()))


def microsoft() -> bytes:
    """gzip beside a text, with a name space and tags that nobody asked for."""
    root = 'feedback xmlns:xsd="http://www.w3.org/2001/XMLSchema" xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance"'
    report = feedback(by="Enterprise Outlook", name="2", root=root, head='<?xml version="1.0"?>')
    return mail(
        gzip.compress(report), "application/gzip", "microsoft.xml.gz", text="This is a DMARC report.\n"
    )


def yahoo() -> bytes:
    """gzip as octets, by a program that begins with an empty line."""
    report = b"\n" + feedback(by="Yahoo", name="3", head="")
    return mail(gzip.compress(report), "application/octet-stream", "yahoo.xml.gz", text="\n")


def newest() -> bytes:
    """As RFC 9990 has it: all names in a name space, plain XML."""
    report = feedback(by="mail.example", name="4", root='feedback xmlns="urn:ietf:params:xml:ns:dmarc-2.0"')
    return mail(report, "text/xml", "report.xml", text="A report.\n")


def sessions() -> bytes:
    """A TLS report as Google sends it."""
    said = tls([policy(certificate_expired=7, something_new=3)])
    return mail(gzip.compress(said), "application/tlsrpt+gzip", "r.json.gz", text="TLS report.\n")
