"""The questions of blackbox, asked by blackbox itself at good servers and at broken ones."""

from __future__ import annotations

import ssl
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from model.identity import mta_sts
from model.monitoring import blackbox
from model.monitoring.probes import DOMAIN_CERTIFICATE, probes
from model.monitoring.world import questions
from model.settings import Settings
from tests.monitoring.checkers import run, settings
from tests.monitoring.exporter import exporting, numbers
from tests.monitoring.fake_servers import TLS, certificate, serving

NAMES = (
    "mx.example.org",
    "imap.example.org",
    "smtp.example.org",
    "sieve.example.org",
    "example.org",
    "mta-sts.example.org",
)
POLICY = (mta_sts.shared(settings()) or b"").decode()


def _page(body: str, *, status: str = "200 OK", kind: str = "text/plain", more: str = "") -> list[str]:
    head = f"HTTP/1.1 {status}\r\nContent-Type: {kind}\r\nContent-Length: {len(body)}\r\nConnection: close\r\n{more}"
    return [TLS, "< \r\n\r\n", f"> {head}\r\n{body}"]


_SMTP = ["> 220 mx.example.org ESMTP\r\n", "< EHLO", "> 250-mx.example.org\r\n250-PIPELINING\r\n250 STARTTLS\r\n", "< STARTTLS", "> 220 go\r\n", TLS, "< EHLO", "> 250-mx.example.org\r\n250 SIZE\r\n", "< QUIT", "> 221 bye\r\n"]  # fmt: skip
_CAPABILITIES = '> "IMPLEMENTATION" "Cyrus timsieved"\r\n"STARTTLS"\r\n"SASL" ""\r\nOK\r\n'
_SIEVE = [
    _CAPABILITIES,
    "< STARTTLS",
    '> OK "Begin TLS"\r\n',
    TLS,
    '> "SASL" "PLAIN"\r\nOK\r\n',
    "< LOGOUT",
    "> OK\r\n",
]

GOOD = {
    "smtp": _SMTP,
    "sieve": _SIEVE,
    "imaps": [TLS, "> * OK IMAP4 ready\r\n", "< a LOGOUT", "> * BYE\r\na OK\r\n"],
    "submissions": [
        TLS,
        "> 220 smtp ready\r\n",
        "< EHLO",
        "> 250-smtp\r\n250 AUTH PLAIN LOGIN\r\n",
        "< QUIT",
        "> 221\r\n",
    ],
    "website": _page("OK"),
    "webmail": _page("", status="302 Found", more="Location: https://example.org/oauth/authorize\r\n"),
    "office": _page("<wopi-discovery><net-zone/></wopi-discovery>", kind="text/xml"),
    "mta-sts": _page(POLICY),
    "domain-certificate": _page("", status="410 Gone"),
}
BAD = {
    "smtp without STARTTLS": ("smtp", ["> 220 mx ESMTP\r\n", "< EHLO", "> 250 mx\r\n"]),
    "smtp that is too busy": ("smtp", ["> 421 4.7.0 too many connections\r\n"]),
    "sieve without STARTTLS": ("sieve", ['> "SASL" "PLAIN"\r\nOK\r\n']),
    "imaps that says goodbye": ("imaps", [TLS, "> * BYE down\r\n"]),
    "submissions without AUTH": ("submissions", [TLS, "> 220 x\r\n", "< EHLO", "> 250 x\r\n"]),
    "website with an error": ("website", _page("", status="502 Bad Gateway")),
    "webmail without PHP": ("webmail", _page("", status="503 Service Unavailable")),
    "office that is some other page": ("office", _page("<html>", kind="text/html")),
    "an old mta-sts policy": ("mta-sts", _page(POLICY.replace("enforce", "testing"))),
    "an mta-sts policy with one line more": ("mta-sts", _page(f"{POLICY}mx: evil.example\r\n")),
    "an mta-sts policy as a web page": ("mta-sts", _page(POLICY, kind="text/html")),
    "an mta-sts policy behind a redirect": (
        "mta-sts",
        _page("", status="301 Moved", more="Location: https://x/\r\n"),
    ),
}


_ASKED = {"mta-sts": "mta-sts.example.org", DOMAIN_CERTIFICATE: "mta-sts.example.net"}


@pytest.fixture(scope="module")
def exporter(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """URL of a running blackbox with our modules; certificates of the tests have no public authority."""
    text = blackbox.config(settings()).replace("insecure_skip_verify: false", "insecure_skip_verify: true")
    with exporting(tmp_path_factory.mktemp("blackbox"), text) as url:
        yield url


def ask(exporter: str, name: str, port: int) -> dict[str, float]:
    """The numbers that a probe gives."""
    web = name in ("website", "webmail", "office", "mta-sts", DOMAIN_CERTIFICATE)
    query = {"module": name, "target": f"https://127.0.0.1:{port}/" if web else f"127.0.0.1:{port}"}
    if web:
        query["hostname"] = _ASKED.get(name, "example.org")
    return numbers(exporter, query)


@pytest.mark.parametrize("name", GOOD)
def test_a_good_answer_is_good(name: str, exporter: str, tmp_path: Path) -> None:
    with serving(certificate(tmp_path, NAMES), GOOD[name]) as port:
        assert ask(exporter, name, port)["probe_success"] == 1


@pytest.mark.parametrize(("name", "script"), BAD.values(), ids=BAD)
def test_a_bad_answer_is_bad(name: str, script: list[str], exporter: str, tmp_path: Path) -> None:
    with serving(certificate(tmp_path, NAMES), script) as port:
        assert ask(exporter, name, port)["probe_success"] == 0


@pytest.mark.parametrize("name", GOOD)
def test_every_certificate_is_watched(name: str, exporter: str, tmp_path: Path) -> None:
    with serving(certificate(tmp_path, NAMES, days=10), GOOD[name]) as port:
        left = ask(exporter, name, port)["probe_ssl_earliest_cert_expiry"] - time.time()
    assert 9 * 86400 < left < 11 * 86400


@pytest.mark.parametrize("mode", ["cluster", "single-node"])
def test_blackbox_accepts_the_configuration(mode: str, tmp_path: Path) -> None:
    file = tmp_path / "blackbox.yml"
    file.write_text(blackbox.config(settings(mode=mode)))
    run("prometheus-blackbox-exporter", f"--config.file={file}", "--config.check")


def test_every_probe_has_a_module(stack: Settings) -> None:
    modules = yaml.safe_load(blackbox.config(stack))["modules"]
    assert {probe.name for probe in probes(stack)} | {each.module for each in questions(stack)} == set(
        modules
    )


@pytest.mark.parametrize(
    ("changed", "verified"),
    [
        ({"tls": {"issuer": "selfSigned"}, "mail": {}}, False),
        ({"tls": {"issuer": "acme", "email": "a@example.org"}, "mail": {}}, True),
        (
            {
                "tls": {"issuer": "selfSigned"},
                "mail": {"mx": {"stage": "live"}, "mtaSts": {"stage": "testing"}},
            },
            True,
        ),
    ],
    ids=["own authority", "public authority", "MTA-STS"],
)
def test_certificates_are_judged_as_senders_would(changed: dict[str, object], verified: bool) -> None:
    assert blackbox.verified(settings(**changed)) is verified


def test_the_smtp_probe_never_looks_like_a_client_without_its_address(stack: Settings) -> None:
    # A MAIL command from our pod would be logged as a client inside the cluster, and page somebody.
    steps = yaml.safe_load(blackbox.config(stack))["modules"]["smtp"]["tcp"]["query_response"]
    assert not [step for step in steps if str(step.get("send", "")).startswith(("MAIL", "RCPT"))]


@pytest.mark.parametrize(("known", "success"), [("mta-sts.example.net", 1), ("mta-sts.example.com", 0)])
def test_a_domain_whose_certificate_is_missing_is_told_from_one_that_has_it(
    known: str, success: int, exporter: str, tmp_path: Path
) -> None:
    """nginx ends the handshake where it has no certificate for a name."""
    context = certificate(tmp_path, (known,))
    context.sni_callback = lambda _, asked, __: (
        None if asked == known else ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME
    )
    with serving(context, GOOD[DOMAIN_CERTIFICATE]) as port:
        assert ask(exporter, DOMAIN_CERTIFICATE, port)["probe_success"] == success
