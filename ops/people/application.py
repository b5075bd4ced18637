"""What the web application has: accounts, domains, lists, as its own commands tell."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from model.accounts import IMAP_ADMIN
from model.settings import Settings
from ops import artisan
from ops.artisan import Answer, call
from ops.kubectl import Kubectl
from ops.stacks import StackProblem

USER_PACKAGE = "kolab"
"""Mailbox, groupware and 5 GiB. Without a package an account has no mailbox (upstream: Jobs/User/CreateJob.php)."""
DOMAIN_PACKAGE = "domain"
"""What the seed of production calls it (upstream: config.prod/src/database/seeds/AdminSeeder.php)."""
STORAGE = "storage"
"""The part of a package that is a GiB of mailbox (upstream: Backends/IMAP.php)."""
SECOND_FACTOR = "2fa"
_ACTIVE, _SUSPENDED, _DELETED, _IMAP_READY = 2, 4, 8, 32
_CONFIRMED, _VERIFIED = 16, 32
DOMAIN_READY = _ACTIVE | _CONFIRMED | _VERIFIED
"""What Postfix wants of a domain (upstream: docker/postfix/rootfs/etc/postfix/sql/mydestination.cf)."""
_ADDRESS = re.compile(r"[a-z0-9][a-z0-9._+-]{0,63}@[a-z0-9.-]{1,253}")


@dataclass(frozen=True)
class User:
    """An account."""

    email: str
    status: int

    @property
    def state(self) -> str:
        """For people."""
        if self.status & _SUSPENDED:
            return "suspended"
        if self.status & _DELETED:
            return "being removed"
        return "active" if self.status & _ACTIVE and self.status & _IMAP_READY else "being made"


@dataclass(frozen=True)
class Domain:
    """A mail domain as the application knows it."""

    name: str
    status: int

    @property
    def ready(self) -> bool:
        """Whether Postfix takes its mail."""
        return self.status & DOMAIN_READY == DOMAIN_READY

    @property
    def suspended(self) -> bool:
        """Whether somebody has stopped it."""
        return bool(self.status & _SUSPENDED)

    @property
    def state(self) -> str:
        """For people."""
        if self.suspended:
            return "suspended"
        return "takes mail" if self.ready else "not confirmed: takes no mail"


def address(text: str, settings: Settings, *, ours: bool = True) -> str:
    """An address in lower case. Raises StackProblem when it is none, or of no domain of the stack."""
    found = text.strip().lower()
    if not _ADDRESS.fullmatch(found):
        raise StackProblem(f"{text!r} is no mail address such as jane@{settings.domain}")
    domain = found.partition("@")[2]
    if ours and domain not in settings.domains:
        raise StackProblem(
            f"{found}: {domain} is no domain of this stack ({', '.join(settings.domains[:5])}); kolab:hostedDomains"
            " names it first, then ./kolab domain add"
        )
    return found


def users(cluster: Kubectl) -> dict[str, User]:
    """Accounts of people by address; those of daemons are left out."""
    (answer,) = artisan.must(cluster, [call("users", _attr=["email", "status"])])
    found = {email: User(email, status) for email, status in _pairs(answer)}
    return {email: user for email, user in found.items() if email != IMAP_ADMIN and "@" in email}


def user(cluster: Kubectl, text: str, settings: Settings) -> User:
    """The account with this address. Raises StackProblem when there is none."""
    email = address(text, settings)
    found = users(cluster).get(email)
    if found is None:
        raise StackProblem(f"there is no account {email}; ./kolab user list shows all")
    return found


def domains(cluster: Kubectl, *, seconds: int = 600) -> dict[str, Domain]:
    """Domains by name."""
    (answer,) = artisan.must(cluster, [call("domains", _attr=["namespace", "status"])], seconds=seconds)
    return {name: Domain(name, status) for name, status in _pairs(answer)}


def names(cluster: Kubectl, listing: str, attribute: str) -> list[str]:
    """One attribute of each of something, such as the addresses of `groups`."""
    (answer,) = artisan.must(cluster, [call(listing, _attr=[attribute])])
    return sorted(line.split(" ", 1)[1] for line in answer.lines if re.match(r"\S+ \S", line))


def _pairs(answer: Answer) -> Iterable[tuple[str, int]]:
    """Lines `id name status`; the id is of no interest here."""
    for line in answer.lines:
        words = line.split()
        if len(words) >= 3 and words[2].isdigit():
            yield words[1], int(words[2])


@dataclass(frozen=True)
class Details:
    """What belongs to an account."""

    aliases: Sequence[str]
    parts: dict[str, int]

    @property
    def gigabytes(self) -> int:
        """Room in its mailbox, GiB."""
        return self.parts.get(STORAGE, 0)


def details(cluster: Kubectl, emails: Sequence[str]) -> dict[str, Details]:
    """Aliases and parts of some accounts, in one go."""
    calls = [call(name, user=email) for email in emails for name in ("user:aliases", "user:entitlements")]
    answers = artisan.must(cluster, calls)
    found = {}
    for email, aliases, parts in zip(emails, answers[::2], answers[1::2], strict=True):
        counted = (line.rpartition(": ") for line in parts.lines)
        found[email] = Details(
            sorted(aliases.lines), {name: int(count) for name, _, count in counted if count.isdigit()}
        )
    return found


def owner_wallet(cluster: Kubectl, settings: Settings) -> str:
    """The wallet of the account to which the primary domain belongs; whoever is in a domain belongs to its owner."""
    admin = f"admin@{settings.domain}"
    (answer,) = artisan.must(cluster, [call("user:wallets", user=admin)])
    if not answer.lines:
        raise StackProblem(f"{admin} has no wallet, so it can own no domain; ./kolab logs seed may say why")
    return answer.lines[0].split()[0]
