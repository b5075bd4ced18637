"""blackbox.yml: how each question of model/monitoring/probes is asked, and which answer is good.

Source: https://github.com/prometheus/blackbox_exporter/blob/master/CONFIGURATION.md
"""

from __future__ import annotations

import re
from typing import Any

from model.identity import mta_sts
from model.monitoring.document import to_yaml
from model.monitoring.places import host
from model.monitoring.probes import DOMAIN_CERTIFICATE, probes
from model.monitoring.world import Question, questions
from model.names import Names
from model.settings import Settings
from model.topology import BLACKBOX

PATH = "/etc/blackbox"
FLAGS = (f"--config.file={PATH}/blackbox.yml",)


def config(settings: Settings) -> str:
    """One module for each probe of this stack."""
    known = _modules(settings)
    asked = {probe.module: known.get(probe.module, _tcp()) for probe in probes(settings)}
    return to_yaml({"modules": asked | {each.module: _dns(each) for each in questions(settings)}})


def verified(settings: Settings) -> bool:
    """Whether certificates must come from a public authority.

    Our own authority is not in the image's trust store. Expiry is seen either way; senders that keep an MTA-STS
    policy verify, so with a policy we do too.
    """
    return settings.tls.issuer == "acme" or (
        any(settings.mta_sts_of(d).stage in ("testing", "enforce") for d in mta_sts.policies(settings))
    )


def _policy(settings: Settings, body: bytes) -> dict[str, Any]:
    """Senders compare with what they keep, so a policy that is merely valid is not enough (RFC 8461 section 3.2)."""
    return _http(
        settings,
        follow_redirects=False,
        valid_status_codes=[200],
        fail_if_body_not_matches_regexp=[_exactly(body)],
        fail_if_header_not_matches=[{"header": "Content-Type", "regexp": "^text/plain"}],
    )


def _modules(settings: Settings) -> dict[str, Any]:
    names = Names.of(settings)
    policies = {f"mta-sts.{domain}": body for domain, body in mta_sts.policies(settings).items()}
    helo = host(settings, BLACKBOX)
    return {
        "website": _http(settings),
        # Without a session the webmail answers itself or sends the browser to the login page, at the public name.
        "webmail": _http(settings, valid_status_codes=[200, 301, 302, 303], follow_redirects=False),
        "office": _http(settings, fail_if_body_not_matches_regexp=["<wopi-discovery"]),
        **{
            probe.module: _policy(settings, policies[probe.hostname])
            for probe in probes(settings)
            if probe.hostname in policies
        },
        "imaps": _tcp(
            _tls(settings, names.imap),
            tls=True,
            query_response=[{"expect": r"^\* OK"}, {"send": "a LOGOUT"}, {"expect": r"^\* BYE"}],
        ),
        "submissions": _tcp(
            _tls(settings, names.smtp),
            tls=True,
            query_response=[
                {"expect": "^220 "},
                {"send": f"EHLO {helo}"},
                {"expect": "^250[ -]AUTH "},
                {"send": "QUIT"},
            ],
        ),
        # No MAIL command: Postfix would log our pod as a client, and an alert watches for such clients.
        "smtp": _tcp(
            _tls(settings, names.mx),
            query_response=[
                {"expect": "^220 "},
                {"send": f"EHLO {helo}"},
                {"expect": "^250[ -]STARTTLS"},
                {"send": "STARTTLS"},
                {"expect": "^220"},
                {"starttls": True},
                {"send": f"EHLO {helo}"},
                {"expect": "^250 "},
                {"send": "QUIT"},
            ],
        ),
        # The policy, or that there is none (components/proxy_policies.py).
        DOMAIN_CERTIFICATE: _http(settings, valid_status_codes=[200, 410], follow_redirects=False),
        # Any answer will do, also that we must log in first: it is not stuck.
        "redis": _tcp(query_response=[{"send": "PING"}, {"expect": r"^([+]PONG|-NOAUTH)"}]),
        # RFC 5804: the capabilities end with OK, and come again after STARTTLS.
        "sieve": _tcp(
            _tls(settings, names.sieve),
            query_response=[
                {"expect": '^"STARTTLS"'},
                {"expect": "^OK"},
                {"send": "STARTTLS"},
                {"expect": "^OK"},
                {"starttls": True},
                {"expect": "^OK"},
                {"send": "LOGOUT"},
            ],
        ),
    }


def _dns(question: Question) -> dict[str, Any]:
    """By TCP: a key is longer than an answer by UDP may be, and blackbox does not ask again."""
    listed = bool(question.unwanted)
    rule = (
        {"fail_if_matches_regexp": [question.unwanted]}
        if listed
        else {"fail_if_none_matches_regexp": [question.wanted]}
    )
    return {
        "prober": "dns",
        "timeout": "15s",
        "dns": {
            "preferred_ip_protocol": "ip4",
            "transport_protocol": "tcp",
            "query_name": question.name,
            "query_type": question.type,
            "valid_rcodes": ["NOERROR", "NXDOMAIN"] if listed else ["NOERROR"],
            "validate_answer_rrs": rule,
        },
    }


def _exactly(policy: bytes | None) -> str:
    return (
        r"\A"
        + re.escape((policy or b"").decode("ascii")).replace("\\\r", r"\r").replace("\\\n", r"\n")
        + r"\z"
    )


def _http(settings: Settings, **checks: Any) -> dict[str, Any]:
    return {
        "prober": "http",
        "timeout": "15s",
        "http": {
            "preferred_ip_protocol": "ip4",
            "fail_if_not_ssl": True,
            "tls_config": {"insecure_skip_verify": not verified(settings)},
            **checks,
        },
    }


def _tls(settings: Settings, name: str) -> dict[str, Any]:
    return {"server_name": name, "insecure_skip_verify": not verified(settings)}


def _tcp(tls_config: dict[str, Any] | None = None, **checks: Any) -> dict[str, Any]:
    tcp: dict[str, Any] = {"preferred_ip_protocol": "ip4", **checks}
    if tls_config:
        tcp["tls_config"] = tls_config
    return {"prober": "tcp", "timeout": "15s", "tcp": tcp}
