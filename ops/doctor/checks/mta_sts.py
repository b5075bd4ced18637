"""MTA-STS as senders do it."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.identity import mta_sts
from model.identity.rdata import MX
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import CERTIFICATES, DEFERRED, PROXY_LOGS, SHOW_AND_PUSH
from ops.doctor.visit import Visit
from ops.doctor.wire import LIMIT, Page


def _policies(visit: Visit) -> Iterator[str]:
    yield from mta_sts.policies(visit.settings)


def _page(visit: Visit, domain: str) -> Page:
    if not visit.web:
        raise Unseen("no address answers for the website")
    return visit.wire.page(visit.web[0], f"mta-sts.{domain}", mta_sts.PATH)


def _sts_reached(visit: Visit, domain: str) -> Iterator[str]:
    for address in visit.web:
        visit.wire.open(address, 443)
    try:
        page = _page(visit, domain)
    except Unseen as problem:
        yield str(problem)
        return
    if page.status != 200:
        to = (
            f" to {page.headers['location']}, which senders do not follow"
            if "location" in page.headers
            else ""
        )
        yield f"https://mta-sts.{domain}{mta_sts.PATH} answers {page.status}{to}"


def _sts_certificate(visit: Visit, domain: str) -> Iterator[str]:
    tls = _page(visit, domain).tls
    if tls and tls.fault and visit.public:
        yield f"mta-sts.{domain}: {tls.words}"


def _served(visit: Visit, domain: str) -> Page:
    page = _page(visit, domain)
    if page.status != 200:
        raise Unseen(f"mta-sts.{domain} answers {page.status}")
    return page


def _sts_type(visit: Visit, domain: str) -> Iterator[str]:
    kind = _served(visit, domain).headers.get("content-type", "")
    if kind.partition(";")[0].strip().lower() != mta_sts.CONTENT_TYPE:
        yield f"mta-sts.{domain} sends {kind or 'no Content-Type'}, senders want {mta_sts.CONTENT_TYPE}"


def _sts_size(visit: Visit, domain: str) -> Iterator[str]:
    if len(_served(visit, domain).body) > LIMIT:
        yield f"the policy of {domain} is longer than {LIMIT} bytes"


def _sts_body(visit: Visit, domain: str) -> Iterator[str]:
    body = _served(visit, domain).body
    if len(body) <= LIMIT and body != mta_sts.policy(visit.settings, domain):
        yield f"mta-sts.{domain} serves {' '.join(body.decode('utf-8', 'replace').split())[:160]}, which is not the planned policy"


def _sts_id(visit: Visit, domain: str) -> Iterator[str]:
    found = visit.dns.text(f"_mta-sts.{domain}", "v=STSv1")
    if len(found) != 1:
        yield f"_mta-sts.{domain} has {len(found) or 'no'} records, and senders want one"
        return
    match = re.search(r";\s*id=([A-Za-z0-9]{1,32})\s*(;|$)", found[0])
    body = _served(visit, domain).body
    if not match:
        yield f"_mta-sts.{domain} has no id of 1 to 32 letters and digits"
    elif match[1] != mta_sts.policy_id(body):
        yield f"the id of {domain} does not belong to the policy that is served, so senders may keep an older one"


def _sts_mx(visit: Visit, domain: str) -> Iterator[str]:
    lines = _served(visit, domain).body.decode("utf-8", "replace").splitlines()
    patterns = [line.partition(":")[2].strip().lower() for line in lines if line.startswith("mx:")]
    planned = sorted(v.exchange for v in visit.values(domain, "MX") if isinstance(v, MX))
    for host in planned:
        wild = f"*.{host.partition('.')[2]}"
        if host not in patterns and wild not in patterns:
            yield f"the policy does not allow {host}, which {domain} plans as an MX: senders defer"


def _sts_live(visit: Visit) -> Iterator[str]:
    # Senders take no policy from a host whose certificate they do not know.
    yield from (visit.settings.live if visit.public else ())


def _sts_enforced(visit: Visit, domain: str) -> Iterator[str]:
    if domain not in mta_sts.policies(visit.settings):
        yield f"{domain} has no policy: senders deliver to whoever answers in our place"
        return
    lines = _served(visit, domain).body.decode("utf-8", "replace").splitlines()
    mode = next((line.partition(":")[2].strip() for line in lines if line.startswith("mode:")), "")
    if mode != "enforce":
        yield f"the policy of {domain} is {mode or 'without a mode'}: senders deliver to whoever answers in our place"


def _sts_none(visit: Visit) -> Iterator[str]:
    yield from (d for d in visit.settings.live if visit.settings.mta_sts_of(d).stage == "none")


def _sts_stray(visit: Visit, domain: str) -> Iterator[str]:
    if visit.dns.text(f"_mta-sts.{domain}", "v=STSv1"):
        yield f"_mta-sts.{domain} announces a policy although its mtaSts.stage is none"


CHECKS = (
    Check(
        id="mta-sts-reached",
        concern="mta-sts",
        promise="The policy is fetched with status 200 and no redirect.",
        reason=DEFERRED,
        fix=PROXY_LOGS,
        subjects=_policies,
        look=_sts_reached,
    ),
    Check(
        id="mta-sts-certificate",
        concern="mta-sts",
        promise="The certificate of the policy host holds.",
        reason="Senders do not believe the policy.",
        fix=CERTIFICATES,
        subjects=_policies,
        look=_sts_certificate,
    ),
    Check(
        id="mta-sts-type",
        concern="mta-sts",
        promise="The policy is text/plain.",
        reason="Senders ignore the policy.",
        fix=PROXY_LOGS,
        subjects=_policies,
        look=_sts_type,
    ),
    Check(
        id="mta-sts-size",
        concern="mta-sts",
        promise="The policy is no longer than 64 KiB.",
        reason="Senders ignore the policy.",
        fix="see who answers in place of the proxy",
        subjects=_policies,
        look=_sts_size,
    ),
    Check(
        id="mta-sts-body",
        concern="mta-sts",
        promise="The policy is the planned one, byte for byte.",
        reason="Senders follow what nobody has reviewed.",
        fix="make up STACK={stack}",
        subjects=_policies,
        look=_sts_body,
    ),
    Check(
        id="mta-sts-id",
        concern="mta-sts",
        promise="One record names the id of the policy that is served.",
        reason="Senders keep an old policy.",
        fix=SHOW_AND_PUSH,
        subjects=_policies,
        look=_sts_id,
    ),
    Check(
        id="mta-sts-mx",
        concern="mta-sts",
        promise="The policy allows every planned MX.",
        reason=DEFERRED,
        fix="make up STACK={stack}, and mail.mx.others for servers of somebody else",
        subjects=_policies,
        look=_sts_mx,
    ),
    Check(
        id="mta-sts-enforced",
        concern="mta-sts",
        promise="The policy of a domain that is live is in earnest.",
        reason="Mail to us can be diverted or read on its way.",
        fix="./kolab status names the next stage and its first safe day; then mail.mtaSts.stage, and make up STACK={stack}",
        subjects=_sts_live,
        look=_sts_enforced,
        severity="warning",
    ),
    Check(
        id="mta-sts-stray",
        concern="mta-sts",
        promise="No policy is announced when there is none.",
        reason=DEFERRED,
        fix="remove _mta-sts.{subject}; ./kolab dns compare --stack {stack}",
        subjects=_sts_none,
        look=_sts_stray,
    ),
)
