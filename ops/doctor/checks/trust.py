"""TLS reports, DANE, and who may issue our certificates."""

from __future__ import annotations

from collections.abc import Iterator

from model.identity import caa, tls_rpt
from model.identity import tlsa as tlsa_records
from model.identity.place import suffixes
from model.identity.rdata import CAA, TLSA
from ops.doctor.certificates import secured
from ops.doctor.check import Check, Unseen
from ops.doctor.checks.words import DEFERRED, SHOW_AND_PUSH
from ops.doctor.visit import Visit
from ops.doctor.wire import Talk


def _smtp(visit: Visit) -> tuple[str, ...]:
    return visit.ports.get("smtp", ())


def _talk(visit: Visit, address: str) -> Talk:
    return visit.wire.talk(address, 25, "smtp", visit.names.mx)


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


def _unprotected(visit: Visit) -> Iterator[str]:
    if visit.settings.dns.dnssec and visit.live:
        yield tlsa_records.name(visit.settings)


def _no_tlsa(visit: Visit, name: str) -> Iterator[str]:
    if not visit.dns.published(name, "TLSA").values:
        yield f"{name} has no TLSA record although its zone is signed"


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


CHECKS = (
    Check(
        id="tls-rpt-address",
        concern="tls-rpt",
        promise="TLS reports go to the planned address.",
        reason="Nobody tells us that encryption to us fails.",
        fix=SHOW_AND_PUSH,
        subjects=_reports,
        look=_tls_rpt,
        severity="warning",
    ),
    Check(
        id="dane-key",
        concern="dane",
        promise="Port 25 shows a key that TLSA names.",
        reason=DEFERRED,
        fix="./kolab tlsa --help; docs/how-to/roll-over-dane-keys.md",
        subjects=_pinned,
        look=_dane,
    ),
    Check(
        id="dane-used",
        concern="dane",
        promise="A signed zone has TLSA records of port 25.",
        reason="Senders with DANE deliver to whoever answers in our place.",
        fix="./kolab tlsa --help, then kolab:tlsa; make up STACK={stack}",
        subjects=_unprotected,
        look=_no_tlsa,
        severity="warning",
    ),
    Check(
        id="dane-stray",
        concern="dane",
        promise="No TLSA record stands that nobody planned.",
        reason=DEFERRED,
        fix="remove the TLSA records of {subject}",
        subjects=_unpinned,
        look=_tlsa_stray,
    ),
    Check(
        id="caa-allows",
        concern="caa",
        promise="Our authority may issue for every name of a certificate.",
        reason="Certificates are not renewed.",
        fix="tls.caa and the CAA records have to agree: " + SHOW_AND_PUSH,
        subjects=_certified,
        look=_caa,
    ),
)
