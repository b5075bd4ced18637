"""How the world's mail reaches us: port 25, MTA-STS as senders do it, TLS reports, DANE, and who may issue certificates."""

from __future__ import annotations

import datetime
import re
from collections.abc import Iterator

from model.identity import caa, mta_sts, tls_rpt
from model.identity import tlsa as tlsa_records
from model.identity.place import suffixes
from model.identity.rdata import CAA, MX, TLSA
from ops.doctor.check import Check, Unseen
from ops.doctor.visit import Visit
from ops.doctor.wire import LIMIT, Page, Talk, Tls

EXPIRY_DAYS = 14
"""Days before its end when a certificate should long have been renewed (cert-manager renews after two thirds)."""
_LOGS = "kubectl -n {namespace} logs postfix-0 -c postfix --since=1h"
_CERTIFICATE = "kubectl get certificates,challenges --all-namespaces; docs/how-to/choose-an-issuer.md"


def _smtp(visit: Visit) -> tuple[str, ...]:
    return visit.ports.get("smtp", ())


def _talk(visit: Visit, address: str) -> Talk:
    return visit.wire.talk(address, 25, "smtp", visit.names.mx)


def secured(talk: Talk) -> Tls:
    """The handshake of a conversation. Raises Unseen when there was none."""
    if talk.tls is None:
        raise Unseen(talk.broken or "there is no STARTTLS")
    return talk.tls


def _answers(visit: Visit, address: str) -> Iterator[str]:
    try:
        visit.wire.open(address, 25)
    except Unseen as problem:
        yield str(problem)


def _greets(visit: Visit, address: str) -> Iterator[str]:
    visit.wire.open(address, 25)
    try:
        talk = _talk(visit, address)
    except Unseen as problem:
        yield str(problem)
        return
    name = talk.banner.split(" ")[0].lower()
    if name not in (visit.names.mx, visit.names.helo):
        yield f"{address} greets as {name or 'nobody'}, which is neither {visit.names.mx} nor {visit.names.helo}"
    if not talk.clear:
        yield f"{address} does not understand EHLO"


def _starttls(visit: Visit, address: str) -> Iterator[str]:
    talk = _talk(visit, address)
    if talk.tls is None:
        yield talk.broken or f"{address} does not offer STARTTLS"


def _name(visit: Visit, address: str) -> Iterator[str]:
    tls = secured(_talk(visit, address))
    if tls.fault == "name":
        yield f"{address} shows a certificate without {visit.names.mx}: {tls.words}"


def _chain(visit: Visit, address: str) -> Iterator[str]:
    tls = secured(_talk(visit, address))
    if tls.fault == "chain":
        yield f"{address}: {tls.words}"


def ending(visit: Visit, where: str, tls: Tls) -> Iterator[str]:
    """Evidence of a certificate that has ended or is about to."""
    end = tls.certificate.not_valid_after_utc
    if end < visit.edge.now() + datetime.timedelta(days=EXPIRY_DAYS):
        yield f"{where} shows a certificate that ends on {end:%Y-%m-%d %H:%M} UTC"


def _expiry(visit: Visit, address: str) -> Iterator[str]:
    yield from ending(visit, f"{address} port 25", secured(_talk(visit, address)))


def _no_auth(visit: Visit, address: str) -> Iterator[str]:
    talk = _talk(visit, address)
    if any(each.split(" ")[0].startswith("AUTH") for each in (*talk.clear, *talk.secret)):
        yield f"{address} offers AUTH on port 25, where strangers guess passwords"


def _size(visit: Visit, address: str) -> Iterator[str]:
    sizes = [each.split() for each in _talk(visit, address).clear if each.startswith("SIZE")]
    if not sizes or len(sizes[0]) < 2:
        yield f"{address} does not say how large a message may be"


def _relay(visit: Visit, address: str) -> Iterator[str]:
    sender = f"postmaster@{visit.settings.domain}"
    # Names of our own that take no mail: an open relay says yes to them, and nobody else is troubled.
    for host in (visit.names.imap, visit.names.admin):
        code, words = visit.wire.recipients(address, sender, f"doctor@{host}")
        if 200 <= code < 300:
            yield f"{address} takes mail for doctor@{host} from strangers: {code} {words}"


def _live_smtp(visit: Visit) -> Iterator[str]:
    yield from (_smtp(visit) if visit.live else ())


def _postmaster(visit: Visit, address: str) -> Iterator[str]:
    for domain in visit.settings.domains:
        code, words = visit.wire.recipients(address, "", f"postmaster@{domain}")
        if 400 <= code < 500:
            raise Unseen(f"postmaster@{domain} is answered {code} {words}")
        if code >= 500:
            yield f"postmaster@{domain} is refused: {code} {words}"


def _mx_domains(visit: Visit) -> Iterator[str]:
    yield from (visit.settings.domains if visit.live else ())


def _mx(visit: Visit, domain: str) -> list[str]:
    return [v.exchange for v in visit.dns.published(domain, "MX").values if isinstance(v, MX)]


def _mx_ours(visit: Visit, domain: str) -> Iterator[str]:
    hosts = _mx(visit, domain)
    if visit.names.mx not in hosts:
        yield f"no MX of {domain} is {visit.names.mx}" + (f", but {', '.join(hosts)}" if hosts else "")


def _policies(visit: Visit) -> Iterator[str]:
    yield from (visit.settings.domains if mta_sts.policy(visit.settings) else ())


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
    if len(body) <= LIMIT and body != mta_sts.policy(visit.settings):
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


def _sts_none(visit: Visit) -> Iterator[str]:
    if visit.live and visit.settings.mail.mta_sts.stage == "none":
        yield from visit.settings.domains


def _sts_stray(visit: Visit, domain: str) -> Iterator[str]:
    if visit.dns.text(f"_mta-sts.{domain}", "v=STSv1"):
        yield f"_mta-sts.{domain} announces a policy although mail.mtaSts.stage is none"


def _reports(visit: Visit) -> Iterator[str]:
    yield from (
        n.removeprefix("_smtp._tls.")
        for n, kind in visit.planned
        if n.startswith("_smtp._tls.") and kind == "TXT"
    )


def _tls_rpt(visit: Visit, name: str) -> Iterator[str]:
    found = visit.dns.text(f"_smtp._tls.{name}", "v=TLSRPTv1")
    if len(found) != 1:
        yield f"_smtp._tls.{name} has {len(found) or 'no'} records, and senders want one"
    elif f"mailto:{tls_rpt.rua(visit.settings)}".lower() not in found[0].lower():
        yield f"TLS reports about {name} do not go to {tls_rpt.rua(visit.settings)}"


def _pinned(visit: Visit) -> Iterator[str]:
    yield from (_smtp(visit) if (tlsa_records.name(visit.settings), "TLSA") in visit.planned else ())


def _dane(visit: Visit, address: str) -> Iterator[str]:
    found = visit.dns.published(tlsa_records.name(visit.settings), "TLSA").values
    keys = [v for v in found if isinstance(v, TLSA) and (v.usage, v.selector, v.matching) == (3, 1, 1)]
    if not keys:
        raise Unseen("no TLSA record 3 1 1 is published")
    served = secured(_talk(visit, address)).key_hash
    if served not in {key.certificate for key in keys}:
        yield f"{address} shows the key {served}, which no TLSA record names: senders with DANE defer"


def _unpinned(visit: Visit) -> Iterator[str]:
    name = tlsa_records.name(visit.settings)
    if (name, "TLSA") not in visit.planned:
        yield name


def _tlsa_stray(visit: Visit, name: str) -> Iterator[str]:
    if visit.dns.published(name, "TLSA").values:
        yield f"{name} has TLSA records that the stack does not plan; the next key breaks mail from senders with DANE"


def _certified(visit: Visit) -> Iterator[str]:
    if caa.issue(visit.settings):
        yield from caa.names(visit.settings)


def _caa(visit: Visit, name: str) -> Iterator[str]:
    wanted = (caa.issue(visit.settings) or "").partition(";")[0]
    for above in suffixes(name):
        # Aliases are followed at each step (RFC 8659 section 3).
        found = [v for v in visit.dns.resolve(above, "CAA").values if isinstance(v, CAA)]
        if not found:
            continue
        allowed = [v.value.partition(";")[0].strip().lower() for v in found if v.tag == "issue"]
        if allowed and wanted not in allowed:
            yield f"the CAA of {above} lets {', '.join(allowed) or 'nobody'} issue for {name}, not {wanted}"
        strict = [
            v
            for v in found
            if v.flags & 128
            and v.tag
            not in ("issue", "issuewild", "iodef", "issuemail", "issuevmc", "contactemail", "contactphone")
        ]
        if strict:
            yield f"the CAA of {above} has a critical property {strict[0].tag} that authorities do not know"
        return


_DNS = "./kolab dns show --wide --stack {stack}; ./kolab dns push --stack {stack}"
_NEVER = "Senders defer mail to us, and bounce it after days."

CHECKS = (
    Check(
        id="smtp-answers",
        concern="smtp",
        promise="Port 25 is open on every address.",
        reason="No mail arrives.",
        fix="docs/how-to/mail-does-not-arrive.md",
        subjects=_smtp,
        look=_answers,
    ),
    Check(
        id="smtp-greets",
        concern="smtp",
        promise="Port 25 greets with our name and understands EHLO.",
        reason="Senders that compare names mistrust us.",
        fix=_LOGS,
        subjects=_smtp,
        look=_greets,
    ),
    Check(
        id="smtp-starttls",
        concern="smtp",
        promise="Port 25 offers TLS and does it.",
        reason="Mail travels in clear text, or not at all from senders that insist.",
        fix=_LOGS,
        subjects=_smtp,
        look=_starttls,
    ),
    Check(
        id="smtp-name",
        concern="smtp",
        promise="The certificate of port 25 has the MX name.",
        reason=_NEVER,
        fix=_CERTIFICATE,
        subjects=_smtp,
        look=_name,
    ),
    Check(
        id="smtp-chain",
        concern="smtp",
        promise="An authority that everybody knows has signed the certificate of port 25.",
        reason=_NEVER,
        fix=_CERTIFICATE,
        subjects=lambda v: _smtp(v) if v.public else (),
        look=_chain,
    ),
    Check(
        id="smtp-expiry",
        concern="smtp",
        promise="The certificate of port 25 is renewed in time.",
        reason=_NEVER,
        fix=_CERTIFICATE,
        subjects=_smtp,
        look=_expiry,
    ),
    Check(
        id="smtp-no-auth",
        concern="smtp",
        promise="Nobody can log in on port 25.",
        reason="Passwords are guessed where nothing counts the guesses.",
        fix=_LOGS,
        subjects=_smtp,
        look=_no_auth,
    ),
    Check(
        id="smtp-size",
        concern="smtp",
        promise="Port 25 says how large a message may be.",
        reason="Senders transfer a large message for nothing.",
        fix=_LOGS,
        subjects=_smtp,
        look=_size,
        severity="warning",
    ),
    Check(
        id="smtp-relay",
        concern="smtp",
        promise="Strangers cannot send to others through us.",
        reason="Spam leaves in our name, and every blocklist has us within hours.",
        fix="close port 25 on the router first; then make up STACK={stack}, and see which addresses Postfix trusts (docs/how-to/mail-does-not-arrive.md)",
        subjects=_smtp,
        look=_relay,
    ),
    Check(
        id="smtp-postmaster",
        concern="smtp",
        promise="Every domain takes mail for postmaster (RFC 5321 section 4.5.1).",
        reason="Nobody can tell us what is wrong, and some lists punish that.",
        fix="set mail.postmaster and make the mailbox; docs/how-to/your-first-day.md",
        subjects=_live_smtp,
        look=_postmaster,
        severity="warning",
    ),
    Check(
        id="mx-ours",
        concern="mx",
        promise="We are an MX of every mail domain.",
        reason="Mail goes to somebody else.",
        fix=_DNS,
        subjects=_mx_domains,
        look=_mx_ours,
    ),
    Check(
        id="mta-sts-reached",
        concern="mta-sts",
        promise="The policy is fetched with status 200 and no redirect.",
        reason=_NEVER,
        fix="kubectl -n {namespace} logs --selector app.kubernetes.io/name=proxy --since=1h",
        subjects=_policies,
        look=_sts_reached,
    ),
    Check(
        id="mta-sts-certificate",
        concern="mta-sts",
        promise="The certificate of the policy host holds.",
        reason="Senders do not believe the policy.",
        fix=_CERTIFICATE,
        subjects=_policies,
        look=_sts_certificate,
    ),
    Check(
        id="mta-sts-type",
        concern="mta-sts",
        promise="The policy is text/plain.",
        reason="Senders ignore the policy.",
        fix="kubectl -n {namespace} logs --selector app.kubernetes.io/name=proxy --since=1h",
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
        fix=_DNS,
        subjects=_policies,
        look=_sts_id,
    ),
    Check(
        id="mta-sts-mx",
        concern="mta-sts",
        promise="The policy allows every planned MX.",
        reason=_NEVER,
        fix="make up STACK={stack}, and mail.mx.others for servers of somebody else",
        subjects=_policies,
        look=_sts_mx,
    ),
    Check(
        id="mta-sts-stray",
        concern="mta-sts",
        promise="No policy is announced when there is none.",
        reason=_NEVER,
        fix="remove _mta-sts.{subject}; ./kolab dns compare --stack {stack}",
        subjects=_sts_none,
        look=_sts_stray,
    ),
    Check(
        id="tls-rpt-address",
        concern="tls-rpt",
        promise="TLS reports go to the planned address.",
        reason="Nobody tells us that encryption to us fails.",
        fix=_DNS,
        subjects=_reports,
        look=_tls_rpt,
        severity="warning",
    ),
    Check(
        id="dane-key",
        concern="dane",
        promise="Port 25 shows a key that TLSA names.",
        reason=_NEVER,
        fix="./kolab tlsa --help; docs/how-to/roll-over-dane-keys.md",
        subjects=_pinned,
        look=_dane,
    ),
    Check(
        id="dane-stray",
        concern="dane",
        promise="No TLSA record stands that nobody planned.",
        reason=_NEVER,
        fix="remove the TLSA records of {subject}",
        subjects=_unpinned,
        look=_tlsa_stray,
    ),
    Check(
        id="caa-allows",
        concern="caa",
        promise="Our authority may issue for every name of a certificate.",
        reason="Certificates are not renewed.",
        fix="tls.caa and the CAA records have to agree: " + _DNS,
        subjects=_certified,
        look=_caa,
    ),
)
