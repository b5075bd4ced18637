"""Port 25, where the world's mail arrives."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from model import roles
from model.identity.rdata import MX
from ops.doctor.certificates import ending, secured
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import CERTIFICATES, DEFERRED, SHOW_AND_PUSH
from ops.doctor.visit import Visit
from ops.doctor.wire import Talk

_LOGS = "kubectl -n {namespace} logs postfix-0 -c postfix --since=1h"


def _smtp(visit: Visit) -> tuple[str, ...]:
    return visit.ports.get("smtp", ())


def _talk(visit: Visit, address: str) -> Talk:
    return visit.wire.talk(address, 25, "smtp", visit.names.mx)


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


def _refused(visit: Visit, address: str, recipients: Iterable[str]) -> Iterator[str]:
    for recipient in recipients:
        code, words = visit.wire.recipients(address, "", recipient)
        if 400 <= code < 500:
            raise Unseen(f"{recipient} is answered {code} {words}")
        if code >= 500:
            yield f"{recipient} is refused: {code} {words}"


def _postmaster(visit: Visit, address: str) -> Iterator[str]:
    yield from _refused(visit, address, (f"postmaster@{domain}" for domain in visit.settings.domains))


def _roles(visit: Visit, address: str) -> Iterator[str]:
    others = (each for each in roles.addresses(visit.settings) if not each.startswith("postmaster@"))
    yield from _refused(visit, address, others)


def _mailbox(visit: Visit, address: str) -> Iterator[str]:
    """Postfix takes mail for a role whatever it leads to; what leads nowhere bounces afterwards."""
    for mailbox in dict.fromkeys(roles.addresses(visit.settings).values()):
        if mailbox.rpartition("@")[2] in visit.settings.domains:
            yield from _refused(visit, address, [mailbox])


def _mx_domains(visit: Visit) -> Iterator[str]:
    yield from (visit.settings.domains if visit.live else ())


def _mx(visit: Visit, domain: str) -> list[str]:
    return [v.exchange for v in visit.dns.published(domain, "MX").values if isinstance(v, MX)]


def _mx_ours(visit: Visit, domain: str) -> Iterator[str]:
    hosts = _mx(visit, domain)
    if visit.names.mx not in hosts:
        yield f"no MX of {domain} is {visit.names.mx}" + (f", but {', '.join(hosts)}" if hosts else "")


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
        reason=DEFERRED,
        fix=CERTIFICATES,
        subjects=_smtp,
        look=_name,
    ),
    Check(
        id="smtp-chain",
        concern="smtp",
        promise="An authority that everybody knows has signed the certificate of port 25.",
        reason=DEFERRED,
        fix=CERTIFICATES,
        subjects=lambda v: _smtp(v) if v.public else (),
        look=_chain,
    ),
    Check(
        id="smtp-expiry",
        concern="smtp",
        promise="The certificate of port 25 is renewed in time.",
        reason=DEFERRED,
        fix=CERTIFICATES,
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
        id="smtp-roles",
        concern="smtp",
        promise="Every domain takes mail for abuse (RFC 2142), and what DNS names for reports is there.",
        reason="Complaints and reports bounce, so a stolen account is noticed when we are on blocklists.",
        fix="make up STACK={stack}: these addresses lead to mail.postmaster",
        subjects=_live_smtp,
        look=_roles,
        severity="warning",
    ),
    Check(
        id="smtp-mailbox",
        concern="smtp",
        promise="The mailbox behind postmaster, abuse and the reports is there.",
        reason="What the world writes to postmaster@ and abuse@ is taken, and bounces then.",
        fix="./kolab user add with the address of mail.postmaster, or of monitoring.reports, --stack {stack}; docs/how-to/your-first-day.md",
        subjects=_live_smtp,
        look=_mailbox,
    ),
    Check(
        id="mx-ours",
        concern="mx",
        promise="We are an MX of every mail domain.",
        reason="Mail goes to somebody else.",
        fix=SHOW_AND_PUSH,
        subjects=_mx_domains,
        look=_mx_ours,
    ),
)
