"""Alerts about what the world finds of this stack in DNS (model/monitoring/world). Whoever is not answered knows nothing."""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import Alert
from model.monitoring.world import questions
from model.settings import Settings

_SOURCE = (
    "blackbox, https://github.com/prometheus/blackbox_exporter, probe_success and probe_dns_query_succeeded"
)
_ANSWERED = "and probe_dns_query_succeeded == 1"
_DOCTOR = (
    "`./kolab doctor` says the same from outside, with what the name servers have now and how to mend it."
)


def world(settings: Settings) -> Iterator[Alert]:
    """Alerts of a stack to whose mail the world is led."""
    if not questions(settings):
        return
    yield _wrong(
        "ReverseNameGone",
        "ptr",
        "The PTR record of {{ $labels.instance }} is gone or names another host",
        "most receivers refuse mail from an address without its name",
        "`./kolab dns tickets` writes the request to whoever owns the address.",
    )
    yield _wrong(
        "DkimKeyGone",
        "dkim",
        "The DKIM key at {{ $labels.instance }} is not the one that signs",
        "signatures of our mail fail at every receiver, and with a strict DMARC policy it is refused",
        "`./kolab dns compare` names what differs; publish the key again before anything else.",
    )
    yield _wrong(
        "RecordsDiffer",
        "records",
        "{{ $labels.instance }} is not in DNS as the stack file has it",
        "somebody changed the zone, or a change of the stack file was never published: mail is misled or refused",
        "`./kolab dns compare` names what differs; `./kolab dns export` or `make up` publishes what the stack file says.",
    )
    yield _wrong(
        "AddressListed",
        "blocklist",
        "{{ $labels.instance }} is listed",
        "receivers that ask this list refuse our mail",
        "Find who sends: `./kolab queue why`, `./kolab queue list`; `./kolab block` stops an account. Only then ask the list to remove the address.",
    )
    yield Alert(
        name="NamesUnanswered",
        severity="ticket",
        service="names",
        expr="count(probe_dns_query_succeeded == 0) > 0",
        wait="30m",
        summary="{{ $value }} questions about our own names get no answer",
        meaning="the cluster's DNS, or the name servers of a zone, do not answer; no alert about records can fire meanwhile",
        steps=(
            "`kubectl -n kube-system get pods -l k8s-app=kube-dns`; then its log.",
            "Are the name servers of the zone up? `./kolab dns compare` asks each of them.",
        ),
        source=_SOURCE,
    )


def _wrong(name: str, probe: str, summary: str, meaning: str, step: str) -> Alert:
    return Alert(
        name=name,
        severity="ticket",
        service="names",
        expr=f'probe_success{{probe="{probe}"}} == 0 {_ANSWERED}',
        # Longer than a server of the zone takes to be restarted, and than a record set that is being replaced is away.
        wait="20m",
        summary=summary,
        meaning=meaning,
        steps=(step, _DOCTOR),
        source=_SOURCE,
    )
