"""Alerts about the way of a message: in, through the queue, out, and who may use it.

Queue metrics: https://github.com/Hsn723/postfix_exporter (showq). Log events: model/monitoring/vector.
"""

from __future__ import annotations

from collections.abc import Iterator

from model.monitoring.alert import EVENTS, Alert, events, grew
from model.settings import Settings

_QUEUE = "postfix_exporter, showq/showq.go"


def _count(queue: str) -> str:
    # Forks of the exporter differ in their gauges; all have this histogram, whose count is the size of the queue.
    return f'postfix_showq_message_age_seconds_count{{queue="{queue}"}}'


def mail(settings: Settings) -> Iterator[Alert]:
    """Alerts of Postfix and its clients."""
    yield from _clients()
    yield from _queue()
    yield from _deliveries()
    replicas = settings.pods("postfix")
    yield Alert(
        name="PostfixPodMissing",
        severity="page" if replicas == 1 else "ticket",
        service="postfix",
        expr=f'(count(up{{job="postfix"}} == 1) or vector(0)) < {replicas}',
        wait="10m",
        summary="{{ $value }} of " + str(replicas) + " Postfix pods can be asked",
        meaning="a Postfix pod is gone or does not answer; what is in its queue waits with it",
        steps=(
            "`kubectl get pods -l app.kubernetes.io/name=postfix` and `kubectl describe` the one that is not ready.",
            "Its queue is on a volume of its own and comes back with the pod; do not delete the claim.",
        ),
        source="Prometheus, up",
    )


def _clients() -> Iterator[Alert]:
    yield Alert(
        name="ClientAddressLost",
        severity="page",
        service="postfix",
        expr=f"sum({grew(events('smtp-client|smtp-reject', network='cluster'), '10m')}) > 0",
        wait="5m",
        summary="Port 25 sees clients with addresses of the cluster itself",
        meaning="the true client address is lost on the way to port 25: SPF, greylisting and reverse DNS judge our own"
        " node, and one wrong setting more makes an open relay",
        steps=(
            'Look at the clients: `{service="postfix"} "client="` in the logs.',
            "The Service of port 25 must have `externalTrafficPolicy: Local`; a load balancer in front must not translate source addresses.",
            "If strangers' mail leaves through us, take port 25 away from the load balancer until this is repaired.",
        ),
        source=EVENTS,
    )
    yield Alert(
        name="PrivateSmtpClient",
        severity="ticket",
        service="postfix",
        expr=f"sum({grew(events('smtp-client|smtp-reject', network='private'), '10m')}) > 0",
        wait="5m",
        summary="Port 25 sees clients with private addresses",
        meaning="either a machine of your own network delivers to port 25, or something before the cluster hides the"
        " true addresses of all clients",
        steps=(
            'Look at the clients: `{service="postfix"} "client="` in the logs. All from one address means translation (NAT).',
            "Machines of your own should log in on port 465 instead.",
        ),
        source=EVENTS,
    )
    yield Alert(
        name="PasswordGuessing",
        severity="ticket",
        service="proxy",
        expr=f"sum(increase({events('auth-failure')}[15m])) > 200",
        wait="15m",
        summary="{{ $value | humanize }} failed logins in 15 minutes",
        meaning="somebody tries passwords, or a client with an old password keeps trying",
        steps=(
            "Count by client and user: `event:auth-failure` in the logs; service proxy has those of mail programs and browsers.",
            "They are braked already (kolab:network.brakes).",
            "One user: tell the person. Many users from few addresses: block those before the load balancer.",
        ),
        source=EVENTS,
    )
    yield Alert(
        name="NoMailAccepted",
        severity="ticket",
        service="postfix",
        expr=f"sum(increase({events('smtp-reject', network='public')}[1h])) > 20"
        f" unless sum(increase({events('smtp-client', network='public')}[1h])) > 0",
        wait="1h",
        summary="Port 25 turned {{ $value | humanize }} attempts away in an hour and took nothing",
        meaning="nearly always a policy that refuses everybody, such as SPF without the imported address ranges",
        steps=(
            "Read the reason behind `reject:` in the logs of service postfix.",
            '"451" or "450" from a policy: check that the web application answers and `kubectl exec deploy/webapp -- ./artisan data:import` has run.',
        ),
        source=EVENTS,
    )


def _queue() -> Iterator[Alert]:
    yield Alert(
        name="QueueStuck",
        severity="page",
        service="postfix",
        expr='sum by (instance) (postfix_showq_message_age_seconds_count{queue=~"incoming|active"}) > 100',
        wait="15m",
        summary="{{ $value }} messages wait at {{ $labels.instance }} for a first try",
        meaning="mail comes in faster than it goes on: the filter, the mailbox server or the disk is too slow or stands still",
        steps=(
            "`kubectl exec postfix-0 -c postfix -- postqueue -p` (and `postfix-1`); the reason stands in brackets.",
            "Amavis has two workers: look at its log and CPU. Then look at the mailbox server (ImapDown, CyrusDown).",
        ),
        source=_QUEUE,
    )
    yield Alert(
        name="QueueDeferredGrowing",
        severity="ticket",
        service="postfix",
        expr=f"{_count('deferred')} > 50 and delta({_count('deferred')}[1h]) > 0",
        wait="1h",
        summary="{{ $value }} deferred messages at {{ $labels.instance }}, and growing",
        meaning="receivers put us off, or our own delivery fails; senders hear of it after hours, mail bounces after five days",
        steps=(
            "`postqueue -p | grep -A1 '('` and sort by reason.",
            "One big receiver: check the address and its PTR and SPF records against what that receiver says.",
            "All receivers: is port 25 out of the nodes open? Is a compromised account sending spam? `postqueue -p` shows its sender.",
        ),
        source=_QUEUE,
    )
    yield Alert(
        name="QueueOld",
        severity="ticket",
        service="postfix",
        expr='postfix_showq_message_age_seconds_count{queue="deferred"} - ignoring (le)'
        ' postfix_showq_message_age_seconds_bucket{queue="deferred",le=~"100000([.]0)?"} > 20',
        wait="1h",
        summary="{{ $value }} messages older than a day at {{ $labels.instance }}",
        meaning="these messages will bounce when they are five days old",
        steps=("`postqueue -p`; those to misspelt domains may be deleted with `postsuper -d`.",),
        source=_QUEUE,
    )
    yield Alert(
        name="QueueHeld",
        severity="ticket",
        service="postfix",
        expr=f"{_count('hold')} > 0",
        wait="1h",
        summary="{{ $value }} messages on hold at {{ $labels.instance }}",
        meaning="somebody, or a rule against spam from a compromised account, has put them there; they never leave by themselves",
        steps=(
            "`postqueue -p` marks them with `!`.",
            "Release with `postsuper -H <id>`, delete with `postsuper -d <id>`.",
        ),
        source=_QUEUE,
    )
    yield Alert(
        name="QueueUnreadable",
        severity="ticket",
        service="postfix",
        expr='postfix_up{path=~".*showq"} == 0',
        wait="10m",
        summary="The queue at {{ $labels.instance }} cannot be read",
        meaning="no alert about the queue can fire for this pod",
        steps=("Log of container `metrics`. Postfix' showq socket must be on the shared queue volume.",),
        source="postfix_exporter, exporter/postfix_exporter.go",
    )


def _deliveries() -> Iterator[Alert]:
    local = events("delivery-local", detail="deferred|bounced")
    yield Alert(
        name="LocalDeliveryFailing",
        severity="page",
        service="imap",
        expr=f"sum(increase({local}[10m])) > 10",
        wait="5m",
        summary="{{ $value | humanize }} messages could not be put into mailboxes in 10 minutes",
        meaning="Postfix reaches users and Cyrus does not take their mail: it is deferred, or bounces to the sender",
        steps=(
            "The answer of Cyrus follows `status=` in the logs of service postfix.",
            '"Mailbox unknown": the account has no mailbox yet (UsersWithoutMailbox). "Over quota" is the user\'s own affair.',
        ),
        source=EVENTS,
    )
    remote = "delivery-remote"
    yield Alert(
        name="RemoteDeliveryFailing",
        severity="ticket",
        service="postfix",
        expr=f"sum(increase({events(remote, detail='deferred|bounced')}[1h])) > 20"
        f" and sum(increase({events(remote, detail='deferred|bounced')}[1h]))"
        f" > sum(increase({events(remote)}[1h])) / 2",
        wait="30m",
        summary="{{ $value | humanize }} deliveries to others failed in an hour, more than succeeded",
        meaning="most receivers do not take our mail: an address on a block list, a closed port 25, or wrong DNS",
        steps=(
            "The receivers' answers follow `status=` in the logs of service postfix.",
            "Compare the address they name with kolab:network.egress, its PTR record and SPF.",
        ),
        source=EVENTS,
    )
