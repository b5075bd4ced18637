"""Alerts reach somebody when this stack's own mail does not."""

from __future__ import annotations

from collections.abc import Iterator

from model.catalogue import parts as rules
from model.findings import Finding
from model.names import Names
from model.settings import Settings
from model.topology import load_balancer_addresses, public_addresses
from model.urls import SECRET, parts


def receivers(settings: Settings) -> Iterator[Finding]:
    """Somebody hears of alerts: the first thing to tell is that mail is down, and the last that monitoring is."""
    alerts, live = settings.monitoring.alerts, _live(settings)
    if not settings.monitoring.own:
        return
    if alerts.server and not alerts.email:
        yield rules.ALERTS_SERVER_UNUSED.found()
    needs = [*_mail_needs(settings), *_webhook_needs(settings)]
    if not needs:
        yield rules.ALERTS_NOWHERE_LIVE.found() if live else rules.ALERTS_NOWHERE.found()
    elif live and all(needs):
        yield rules.ALERTS_BY_OWN_MAIL.found(needs=", and ".join(needs))
    if live and not alerts.heartbeat:
        yield rules.NO_HEARTBEAT.found()


_ALERTMANAGER = (
    "Alertmanager",
    "route alerts with the label stack there (docs/how-to/use-a-prometheus-operator.md)",
)
_OF_CLUSTER = {
    "alerts.email": _ALERTMANAGER,
    "alerts.server": _ALERTMANAGER,
    "alerts.webhook": _ALERTMANAGER,
    "alerts.heartbeat": ("Alertmanager", "send the Watchdog of the cluster's own monitoring there"),
    "retention": ("Prometheus", "set spec.retention of its Prometheus"),
}
"""Key of kolab:monitoring -> which engine of the cluster decides it, and what to do there."""


def operator(settings: Settings) -> Iterator[Finding]:
    """Whoever leaves numbers and alerts to the cluster says to which Prometheus, and nothing that only own engines read."""
    monitoring, namespace = settings.monitoring, settings.kubernetes.namespace
    if monitoring.mode == "own":
        if monitoring.operator is not None:
            yield rules.MONITORING_OPERATOR_UNUSED.found()
        return
    if not monitoring.enabled:
        yield rules.MONITORING_OFF.found()
    if monitoring.operator is None:
        yield rules.MONITORING_OPERATOR.found()
    elif monitoring.operator.namespace in (namespace, f"{namespace}-logs"):
        yield rules.MONITORING_OPERATOR_NAMESPACE.found(namespace=monitoring.operator.namespace)
    given = {
        f"alerts.{name}" for name in type(monitoring.alerts).model_fields if getattr(monitoring.alerts, name)
    }
    given |= monitoring.model_fields_set & {"retention"}
    for key, (whose, instead) in _OF_CLUSTER.items():
        if key in given:
            yield rules.MONITORING_OF_CLUSTER.found(key=key, whose=whose, instead=instead)
    if "metrics" in settings.storage.model_fields_set:
        yield rules.STORAGE_OF_CLUSTER.found()


def round_trip(settings: Settings) -> Iterator[Finding]:
    """The message that comes back is sent, stays here, and is nobody else's."""
    trip = settings.monitoring.round_trip
    if trip is None:
        return
    if settings.monitoring.trip is None:
        yield rules.ROUND_TRIP_OFF.found()
    domain = trip.mailbox.rpartition("@")[2]
    if domain not in settings.domains:
        yield rules.ROUND_TRIP_ELSEWHERE.found(domain=domain, domains=", ".join(settings.domains))
    elif trip.mailbox.lower() in _system(settings):
        yield rules.ROUND_TRIP_SHARED.found(address=trip.mailbox, domain=domain)


def reports(settings: Settings) -> Iterator[Finding]:
    """The mailbox of reports is read, is here, and is nobody else's."""
    reader = settings.monitoring.reports
    if reader is None:
        return
    if settings.monitoring.report_reader is None:
        yield rules.REPORTS_OFF.found()
    domain = reader.mailbox.rpartition("@")[2]
    if domain not in settings.domains:
        yield rules.REPORTS_ELSEWHERE.found(domain=domain, domains=", ".join(settings.domains))
    elif reader.mailbox.lower() in _taken(settings):
        yield rules.REPORTS_SHARED.found(address=reader.mailbox, domain=domain)


def _taken(settings: Settings) -> set[str]:
    """Addresses in our domains that have another purpose."""
    trip, people = settings.monitoring.round_trip, settings.mail.postmaster
    roles = (f"{local}@{domain}" for domain in settings.domains for local in ("postmaster", "abuse"))
    others = (trip and trip.mailbox, people, f"redirected@{settings.domain}")
    return _system(settings) | {each.lower() for each in (*roles, *others) if each}


def _system(settings: Settings) -> set[str]:
    """Accounts that the web application makes, with passwords of their own."""
    return {f"{name}@{settings.domain}".lower() for name in ("admin", "noreply")}


def _live(settings: Settings) -> bool:
    return any(settings.stage_of(domain) == "live" for domain in settings.domains)


def _mail_needs(settings: Settings) -> Iterator[str]:
    """What alert mail needs of this stack; empty for nothing."""
    alerts = settings.monitoring.alerts
    if alerts.email is None:
        return
    if alerts.email.rpartition("@")[2] in settings.domains:
        yield "email is a mailbox of this stack"
    elif alerts.server is None:
        yield "email leaves by this stack's own Postfix"
    else:
        yield "server is this stack's own" if alerts.server.host in _own(settings) else ""


def _webhook_needs(settings: Settings) -> Iterator[str]:
    webhook = settings.monitoring.alerts.webhook
    if webhook is not None:
        host = "" if webhook == SECRET else parts(webhook.partition("?")[0])[1].strip("[]").lower()
        yield "webhook is answered by this stack" if host in _own(settings) else ""


def _own(settings: Settings) -> set[str]:
    """Names and addresses that lead to this stack."""
    found = {*Names.of(settings).every}
    for addresses in (load_balancer_addresses(settings), public_addresses(settings)):
        found |= {address for each in addresses.values() for address in each}
    return found


RULES = (receivers, operator, round_trip, reports)
