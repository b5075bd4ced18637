"""Lines of an operator's own that do no harm, and what those see of them who talk to the daemons (test_own_lines.py)."""

from __future__ import annotations

import email
import re
from collections.abc import Callable, Mapping
from typing import Any

from tests.acceptance.receiving import unique
from tests.acceptance.stack import JANE, PASSWORD, Stack

DENIED = "203.0.113.66"
"""Somebody of the world whom the website shall not answer."""
BANNER = "at your service"
HARMLESS: dict[str, Any] = {
    "postfix": {"smtpd_hard_error_limit": 5, "enable_long_queue_ids": True},
    "imap": {"sieve_maxscriptsize": 1, "maxquoted": 8000},
    "roundcube": {"product_name": "Mail of Example"},
    "spamassassin": ["body LOCAL_LOAN /cheap loan/i", "describe LOCAL_LOAN Money", "score LOCAL_LOAN 2.5"],
    "website": [
        'add_header X-Robots-Tag "noindex, nofollow" always',
        "keepalive_timeout 7s 7",
        f"deny {DENIED}",
    ],
    "environment": {"imap": {"LC_ALL": "C.UTF-8"}, "webapp": {"LANG": "C.UTF-8"}},
    "annotations": {"imap": {"backup.velero.io/backup-volumes": "mailboxes,state"}},
}


def _mistakes(stack: Stack) -> int:
    """Commands that do not exist which port 25 answers before it hangs up."""
    return int(stack.client("mistakes", stack.names.mx, "30"))


def _queue_id(stack: Stack) -> str:
    """How Postfix calls a message that it takes, as its reader sees it."""
    found = re.search(r"by \S+ \(Postfix\)\s+with \S+ id (\w+)", _letter(stack, unique("which number")))
    assert found
    return found[1]


def _letter(stack: Stack, subject: str) -> str:
    """What a stranger wrote, as its reader gets it."""
    stack.accepted(JANE, subject)
    return stack.inbox(JANE, subject)


def _filter(stack: Stack) -> str:
    """What ManageSieve answers to who stores a filter of two KiB."""
    person = f"{unique('filters').replace(' ', '')}@example.org"
    stack.add_user(person)
    return stack.client("sieve_script", stack.names.sieve, person, PASSWORD, f"# {'x' * 2048}\nkeep;\n")


def _search(stack: Stack) -> str:
    """How IMAP ends a search for nine thousand letters: nothing where it is one as any other."""
    line = stack.client_line("read", stack.names.imap, "993", JANE, PASSWORD, "x" * 9000)
    return stack.lab.internet.ask(line).stderr.strip().rpartition("\n")[2]


def _title(stack: Stack) -> str:
    """Of the page on which people log in to the webmail."""
    page = stack.client("ask", "GET", f"https://{stack.names.website}/webmail/")
    return "".join(re.findall("<title>(.*?)</title>", page))


def _loan(stack: Stack) -> str:
    """The score of the rule about loans in a letter about one."""
    letter = email.message_from_string(_letter(stack, unique("a cheap loan")))
    return "".join(re.findall(r"LOCAL_LOAN=([\d.]+)", letter.get("X-Spam-Status", "")))


def _headers(stack: Stack) -> set[str]:
    """Of the website's first page, those that the directives are about."""
    website = stack.names.website
    head = stack.client("head", website, "GET / HTTP/1.1", f"Host: {website}")
    return {line for line in head.splitlines() if line.startswith(("X-Robots-Tag:", "Keep-Alive:"))}


def _statuses(stack: Stack) -> tuple[str, ...]:
    """How the website answers the one who is denied, and anybody else."""
    internet = stack.lab.internet
    with internet.also(DENIED):
        return tuple(
            stack.client("status_from", each, stack.names.website) for each in (DENIED, internet.address)
        )


def _variables(stack: Stack) -> dict[str, set[str]]:
    """Daemon -> the variables of language that its first process has."""
    found = {}
    for daemon in ("imap", "webapp", "horizon"):
        node, task = stack.first_process(stack.pod(daemon), daemon)
        entries = node.run(["cat", f"/proc/{task}/environ"]).split("\0")
        found[daemon] = {entry for entry in entries if entry.startswith(("LANG=", "LC_"))}
    return found


def _annotated(stack: Stack) -> dict[str, str]:
    """Daemon -> the volumes that Velero would back up, of the daemons whose pods name any."""
    return {
        pod["metadata"]["labels"]["app.kubernetes.io/name"]: named
        for pod in stack.pods()
        if (named := pod["metadata"].get("annotations", {}).get("backup.velero.io/backup-volumes"))
    }


LOOKS: Mapping[str, Callable[[Stack], Any]] = {
    "mistakes": _mistakes,
    "queue id": lambda stack: len(_queue_id(stack)) > 11,
    "banner": lambda stack: BANNER in stack.client("ehlo", stack.names.mx, "25"),
    "filter": lambda stack: _filter(stack)[:2],
    "search": _search,
    "title": _title,
    "loan": _loan,
    "headers": _headers,
    "statuses": _statuses,
    "variables": _variables,
    "annotated": _annotated,
}


def seen(stack: Stack) -> dict[str, Any]:
    """What each of the lines is about, as those see it who talk to the daemons."""
    return {name: look(stack) for name, look in LOOKS.items()}
