"""What all daemons together may open, and what there is of it: connections, requests, memory. Sums, each term with its source.

A daemon that asks for one connection too many is refused, and to a mail server that looks like a database that is
down: all mail is deferred until somebody has gone. So the sums fit by construction, or the stack file is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from fractions import Fraction

from model.settings import Settings
from model.sizing import DEFAULTS, PROFILES, size_of
from model.topology import daemons, sidecars
from model.types import bytes_of

MIB = 1024**2
PASSING = frozenset(
    (
        "seed",
        "roundcube-migrate",
        "before-migration",
        "restore-dump",
        *(
            f"{what}-{engine}"
            for what in ("backup", "restore", "drill")
            for engine in ("mail", "files", "database")
        ),
    )
)
"""Daemons whose pods end."""

PROXYMAPS = 5
"""proxymap processes of a Postfix pod, each of which serves many smtpd (proxymap(8))."""
TABLES = 8
"""Tables in the database that Postfix has: three in the older images, five more for lists, shared folders and catch-alls in
newer ones (upstream: docker/postfix, sql). A proxymap process keeps one connection for each (mysql_table(5)); with an image
that has more tables there are fewer processes (components/scripts/postfix/shared.sh)."""
SMTPD = 100
"""Clients of port 25 that a Postfix pod serves at once. When all are taken, silent ones are put out after 10 s (STRESS_README)."""
SMTPD_PER_CLIENT = 10
"""How many of them one address may have (postconf(5), smtpd_client_connection_count_limit; by default half of all)."""
SUBMISSIONS = 50
"""Mail programs that hand in mail at a Postfix pod at once."""
ANSWERS = 20
"""Vacation notes, redirects and invitations that a Postfix pod takes from Cyrus at once."""
POLICIES = 8
"""Questions that each policy service asks the web application at once, each by a Python process of its own."""
POLICY_SERVICES = 3
"""submission, greylist, spf (upstream: docker/postfix, master.cf)."""
POLICY_SECONDS = 30
"""After which a question without an answer ends, and mail is put off (spawn(8), transport_time_limit)."""
FILTERED = 3
"""Messages that a Postfix pod hands to Amavis at once (upstream: docker/postfix, master.cf, smtp-amavis)."""
AMAVIS = FILTERED + 1
"""Amavis' processes; the image has two. A session keeps its process while Postfix has more for it, so with as many
processes as sessions nobody would greet a probe in a busy hour, and the kubelet would stop Amavis in the midst of it."""
OCTANE_WORKERS = 4
"""Processes of a web application's pod that answer requests (components/scripts/webapp/start.sh)."""
OCTANE = OCTANE_WORKERS + 1
"""Those, and a task worker (the same file): nothing of the application is a task (upstream: src/app), so more would only wait."""
PHP = 50
"""PHP processes of a webmail pod (upstream: docker/roundcube, php-fpm.d/www.conf, pm.max_children)."""
SESSIONS = 3
"""IMAP sessions of one person all day: a mail program on the desk waits in two folders, a phone in one."""
WEB = 3
"""Requests of one person that wait at the web names: a phone's Ping, and two of a browser."""
CONNECTIONS = 2 * (SESSIONS + WEB)
"""Connections that a person has at nginx: each of these has one to whom it is for besides."""
IMAP_SESSION_MIB = 4
"""What a session that waits adds to Cyrus, which has a process for each (tests/components/test_sessions.py)."""
PROXY_WORKERS = 4
"""Processes of nginx (components/scripts/proxy/edit.sh)."""
PROXY_CONNECTIONS = 8192
"""Connections that each of them takes (components/scripts/proxy/edit.sh)."""
PROXY_MAIL_KIB = 24
"""What an IMAP session that waits behind TLS adds to nginx (tests/components/test_proxy_crowd.py)."""
PROXY_WEB_KIB = 34
"""What a request that waits behind TLS adds to it, an ActiveSync Ping for example (the same tests)."""
REDIS_CLIENTS = 10000
"""Redis' own maxclients, which the stack leaves as it is (redis.conf): more than the largest stack file can open."""
LOGINS_EACH = OCTANE_WORKERS
"""Passwords that one client may have checked at once: more than there are workers would only wait, and others behind them."""
WAITING = 16
"""Requests of mail that may wait for one worker. Each takes a second or two when it looks up names: so the last one is
answered within the time that a question has."""

SMTPD_MIB = 3
"""Memory that a session adds, smtpd and cleanup, with TLS and in the midst of a message (tests/components/test_budget.py)."""
_POLICY_MIB = 16
"""A policy process (docs/reference/upstream.md)."""
SRS_MIB = 16
"""A process that rewrites senders; each proxymap process keeps one (tests/components/test_answers.py)."""
_POSTFIX_MIB = 100
"""The rest of the pod's container: master, queue manager, deliveries, saslauthd, proxymap."""
_THREAD_MIB = 1
"""What a connection adds to MariaDB: stack, buffers and what a small query takes (thread_stack, net_buffer_length, sort)."""
_MARIADB_MIB = 150
"""MariaDB without connections and buffer pool."""
_IMAP_MIB = 300
"""Cyrus without people who wait: deliveries, calendars, what indexes and expires."""
_PROXY_MIB = 80
"""nginx without people who wait: four workers with the tables of their connections and what they keep of certificates, and
the buffers of a few hundred requests that are under way (proxy_buffers, client_body_buffer_size: 80 KiB each)."""
_RESERVE = 10
"""Connections for people, backups and the probe."""


@dataclass(frozen=True)
class Use:
    """What one kind of pods may open. `key` is the setting that changes the number."""

    who: str
    number: int
    key: str


def database_uses(settings: Settings) -> tuple[Use, ...]:
    """Connections to MariaDB. The web application asks two databases, its own and the webmail's for second factors."""
    postfix, webapp, roundcube = (settings.pods(name) for name in ("postfix", "webapp", "roundcube"))
    return (
        Use("postfix", postfix * (PROXYMAPS * TABLES + 1 + AMAVIS), "kolab:replicas.postfix"),
        Use("webapp", webapp * OCTANE * 2, "kolab:replicas.webapp"),
        # Master, supervisor and one worker; each minute's run, which may overlap with the last one; the Jobs.
        Use("horizon, scheduler, seed", 3 * 2 + 2 * 2 + 2, "kolab:replicas.webapp"),
        Use("roundcube", roundcube * PHP + 1, "kolab:replicas.roundcube"),
    )


def database_connections(settings: Settings) -> int:
    """max_connections of MariaDB: what all may open, and some for people."""
    return _total(database_uses(settings)) + _RESERVE


def database_memory(settings: Settings) -> int:
    """Bytes that MariaDB needs with all its connections; half of its limit is the image's buffer pool."""
    limit = bytes_of(size_of(settings, "mariadb").memory_limit)
    return limit // 2 + (_MARIADB_MIB + _THREAD_MIB * database_connections(settings)) * MIB


def redis_uses(settings: Settings) -> tuple[Use, ...]:
    """Connections to Redis: cache, queue and broadcasts of each process, a session for each of PHP's."""
    return (
        Use("webapp", settings.pods("webapp") * OCTANE * 2, "kolab:replicas.webapp"),
        Use("horizon, scheduler, seed", 3 * 3 + 2 * 2 + 2, "kolab:replicas.webapp"),
        Use("roundcube", settings.pods("roundcube") * PHP, "kolab:replicas.roundcube"),
    )


def redis_connections(settings: Settings) -> int:
    """What all may open."""
    return _total(redis_uses(settings)) + _RESERVE


def mail_requests(settings: Settings) -> int:
    """Requests that mail may have under way at the web application: policies, five saslauthd for each mail pod, and who
    logs in through a proxy, one client at least."""
    return _without_logins(settings) + settings.pods("proxy") * LOGINS_EACH


def logins_together(settings: Settings) -> int:
    """Passwords that each proxy may have checked at once, for all clients: what the rest of mail leaves it."""
    left = webapp_workers(settings) * WAITING - _without_logins(settings)
    return max(left // settings.pods("proxy"), LOGINS_EACH)


def _without_logins(settings: Settings) -> int:
    postfix = settings.pods("postfix")
    return postfix * POLICIES * POLICY_SERVICES + 5 * (postfix + 1)


def webapp_workers(settings: Settings) -> int:
    """Workers that answer them."""
    return settings.pods("webapp") * OCTANE_WORKERS


def postfix_memory() -> int:
    """Bytes that the container of Postfix needs with all its sessions and policy questions."""
    sessions = SMTPD + SUBMISSIONS + ANSWERS
    processes = POLICIES * POLICY_SERVICES * _POLICY_MIB + PROXYMAPS * SRS_MIB
    return (_POSTFIX_MIB + sessions * SMTPD_MIB + processes) * MIB


def imap_memory(settings: Settings) -> int:
    """Bytes that Cyrus needs while everybody's sessions wait."""
    return (_IMAP_MIB + PROFILES[settings.size].people * SESSIONS * IMAP_SESSION_MIB) * MIB


def proxy_memory(settings: Settings) -> int:
    """Bytes that one proxy needs when all people are on it, as while another is away."""
    each = SESSIONS * PROXY_MAIL_KIB + WEB * PROXY_WEB_KIB
    return _PROXY_MIB * MIB + PROFILES[settings.size].people * each * 1024


@dataclass(frozen=True)
class Room:
    """Processors (thousandths) and bytes of memory."""

    cpu: int
    memory: int

    def __str__(self) -> str:
        return f"{self.cpu / 1000:.1f} processors and {self.memory / 1024**3:.1f}Gi of memory"


def pods(settings: Settings) -> dict[str, tuple[int, Room, int]]:
    """Daemon that runs all the time -> number of its pods, what each requests, and the limit of its memory in bytes."""
    counts = {name: settings.pods(name) for name in type(settings.replicas).model_fields}
    found = {}
    for daemon in daemons(settings):
        if daemon.name in PASSING:
            continue
        beside = [each.name for each in sidecars(settings, daemon)]
        sizes = [size_of(settings, name) for name in (daemon.name, *beside) if name in DEFAULTS]
        asked = Room(sum(thousandths(each.cpu) for each in sizes), sum(bytes_of(e.memory) for e in sizes))
        limit = sum(bytes_of(each.memory_limit) for each in sizes)
        found[daemon.name] = (counts.get(daemon.name, 1), asked, limit)
    return found


def requested(settings: Settings) -> Room:
    """What all pods request together; one log collector is counted, and each further node has its own."""
    each = list(pods(settings).values())
    return Room(sum(n * room.cpu for n, room, _ in each), sum(n * room.memory for n, room, _ in each))


def limited(settings: Settings) -> int:
    """Bytes of memory that all pods together may come to take."""
    return sum(number * limit for number, _, limit in pods(settings).values())


def thousandths(quantity: str) -> int:
    """A quantity of processors in thousandths. Raises ValueError for what is none."""
    return int(Fraction(quantity[:-1]) if quantity.endswith("m") else Fraction(quantity) * 1000)


def _total(uses: Iterable[Use]) -> int:
    return sum(use.number for use in uses)
