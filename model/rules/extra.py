"""Lines of an operator's own, each judged by what it may undo."""

from __future__ import annotations

import re
from collections.abc import Iterator

from model.catalogue import extra as rules
from model.extra.cyrus import CYRUS
from model.extra.language import Language, Promise
from model.extra.nginx import NGINX
from model.extra.pods import ANNOTATIONS, ENVIRONMENT
from model.extra.postfix import POSTFIX
from model.extra.roundcube import ROUNDCUBE
from model.extra.spamassassin import SPAMASSASSIN
from model.findings import Finding
from model.settings import Settings
from model.topology import daemons

Line = tuple[str, Language, str, str]
"""Where a line stands below kolab:extra, its language, its name and its value."""


def lines(settings: Settings) -> Iterator[Line]:
    """Every line of an operator's own."""
    extra = settings.extra
    yield from ((f"postfix.{name}", POSTFIX, name, value) for name, value in extra.postfix.items())
    yield from ((f"imap.{name}", CYRUS, name, value) for name, value in extra.imap.items())
    yield from (
        (f"roundcube.{name}", ROUNDCUBE, name, _php_word(value)) for name, value in extra.roundcube.items()
    )
    for place, language, found in (
        ("spamassassin", SPAMASSASSIN, extra.spamassassin),
        ("website", NGINX, extra.website),
    ):
        for index, line in enumerate(found):
            name, _, value = line.partition(" ")
            yield (f"{place}[{index}]", language, name, value)
    for place, language, chosen in (
        ("environment", ENVIRONMENT, extra.environment),
        ("annotations", ANNOTATIONS, extra.annotations),
    ):
        for daemon, entries in chosen.items():
            yield from (
                (f"{place}.{daemon}.{name}", language, name, value) for name, value in entries.items()
            )


def _php_word(value: bool | int | str | tuple[str, ...]) -> str:
    if isinstance(value, bool):
        return str(value).lower()
    return ", ".join(value) if isinstance(value, tuple) else str(value)


def promises(settings: Settings) -> Iterator[Finding]:
    """Lines that are not harmless."""
    for where, language, name, value in lines(settings):
        promise = language.judge(name, value)
        if promise is not None:
            yield _broken(promise, where)


def _broken(promise: Promise, where: str) -> Finding:
    return {
        "own": rules.EXTRA_OWN,
        "relay": rules.EXTRA_RELAY,
        "delivery": rules.EXTRA_DELIVERY,
        "plaintext": rules.EXTRA_PLAINTEXT,
        "client": rules.EXTRA_CLIENT,
        "data": rules.EXTRA_DATA,
        "code": rules.EXTRA_CODE,
        "secret": rules.EXTRA_SECRET,
        "unseen": rules.EXTRA_UNSEEN,
        "unknown": rules.EXTRA_UNKNOWN,
    }[promise].found(where=where)


_REPEATED = ("add_header", "deny")
"""Directives of nginx that may stand there several times."""


_MEET = ("camera", "microphone", "display-capture")
"""What a browser lends to a conference."""


def places(settings: Settings) -> Iterator[Finding]:
    """Lines for daemons that are there, each once."""
    found = daemons(settings)
    pods = sorted(daemon.name for daemon in found)
    containers = sorted({each.name for daemon in found for each in (daemon, *daemon.sidecars)})
    for name in settings.extra.environment:
        if name not in containers:
            yield rules.EXTRA_DAEMON.found(
                where=f"environment.{name}", what="daemon", names=", ".join(containers)
            )
    for name in settings.extra.annotations:
        if name not in pods:
            yield rules.EXTRA_DAEMON.found(
                where=f"annotations.{name}", what="daemon with pods of its own", names=", ".join(pods)
            )
    names = [line.partition(" ")[0] for line in settings.extra.website]
    for index, name in enumerate(names):
        if name in names[:index] and name not in _REPEATED:
            yield rules.EXTRA_TWICE.found(where=f"website[{index}]")


def meet(settings: Settings) -> Iterator[Finding]:
    """What a Permissions-Policy leaves browsers to do in a conference (W3C Permissions Policy, section 5.1)."""
    if not settings.features.meet:
        return
    for index, line in enumerate(settings.extra.website):
        if not line.startswith("add_header Permissions-Policy "):
            continue
        granted = re.findall(r"([a-z-]+)=(\([^)]*\)|[^\s,\"]*)", line)
        denied = [
            what
            for what, whom in granted
            if what in _MEET and not {"*", "self"} & set(whom.strip("()").split())
        ]
        if denied:
            fixed = ", ".join(f"{what}=(self)" for what in denied)
            yield rules.EXTRA_MEET.found(where=f"website[{index}]", what=", ".join(denied), fixed=fixed)


RULES = (promises, places, meet)
