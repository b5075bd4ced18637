"""Users, domains and passwords."""

from __future__ import annotations

import base64
import hashlib
import hmac
import os
import secrets
from typing import Any

from standin.database import rows

ACTIVE, SUSPENDED, DELETED = 2, 4, 8
IMAP_READY = 32
DOMAIN_READY = 2 + 16 + 32
"""Active, confirmed and verified: what Postfix wants of a domain."""

_ROUNDS = 20_000


class Unknown(Exception):
    """No such account."""


def digest(password: str) -> str:
    """A salted hash of a password."""
    salt = secrets.token_bytes(12)
    made = hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS)
    return "$".join(base64.b64encode(part).decode() for part in (salt, made))


def matches(password: str, stored: str) -> bool:
    """Whether `stored` was made from `password`."""
    try:
        salt, made = (base64.b64decode(part) for part in stored.split("$"))
    except ValueError:
        return False
    return hmac.compare_digest(made, hashlib.pbkdf2_hmac("sha256", password.encode(), salt, _ROUNDS))


def new_id() -> int:
    """The real application's ids are random, too."""
    return secrets.randbelow(2**31)


def create_domain(name: str) -> None:
    """A domain that Postfix takes mail for."""
    rows(
        "INSERT IGNORE INTO domains (id, namespace, status, type, tenant_id, created_at, updated_at)"
        " VALUES (%s, %s, %s, 0, %s, NOW(), NOW())",
        (new_id(), name, DOMAIN_READY, os.environ.get("APP_TENANT_ID") or None),
    )


def create_user(email: str, password: str, role: str | None = None) -> int:
    """A new account; returns its id."""
    made = new_id()
    rows(
        "INSERT INTO users (id, email, password, role, status, tenant_id, created_at, updated_at)"
        " VALUES (%s, %s, %s, %s, %s, %s, NOW(), NOW())",
        (made, email.lower(), digest(password), role, ACTIVE, os.environ.get("APP_TENANT_ID") or None),
    )
    return made


def upsert_service(email: str, password: str) -> None:
    """A service account with this password; what data:init does at each start of Horizon."""
    if rows("SELECT id FROM users WHERE email = %s", (email,)):
        set_password(email, password)
    else:
        create_user(email, password, "service")


def set_password(email: str, password: str) -> None:
    """Raises Unknown when there is no such account."""
    find(email)
    rows(
        "UPDATE users SET password = %s, updated_at = NOW() WHERE email = %s",
        (digest(password), email.lower()),
    )


def set_status(email: str, add: int = 0, remove: int = 0) -> None:
    """Change status bits."""
    rows(
        "UPDATE users SET status = (status | %s) & ~%s, updated_at = NOW() WHERE email = %s",
        (add, remove, email.lower()),
    )


def add_alias(email: str, alias: str) -> None:
    """A second address of an account."""
    rows(
        "INSERT INTO user_aliases (user_id, alias, created_at, updated_at) VALUES (%s, %s, NOW(), NOW())",
        (find(email)[0], alias.lower()),
    )


def find(email: str) -> tuple[Any, ...]:
    """(id, email, password, status) of an account. Raises Unknown."""
    found = rows(
        "SELECT id, email, password, status FROM users WHERE email = %s AND deleted_at IS NULL",
        (email.lower(),),
    )
    if not found:
        raise Unknown(email)
    return found[0]


def login(email: str, password: str) -> bool:
    """Whether this user may come in with this password."""
    if not email or not password:
        return False
    try:
        _, _, stored, status = find(email)
    except Unknown:
        return False
    return not status & (SUSPENDED | DELETED) and matches(password, stored or "")


def may_send_as(email: str, sender: str) -> bool:
    """Whether the account may use this envelope sender: its own address or an alias of it."""
    number, own, _, status = find(email)
    if status & SUSPENDED or "@" not in sender:
        return False
    sender = sender.lower()
    return sender == own or bool(
        rows("SELECT 1 FROM user_aliases WHERE user_id = %s AND alias = %s", (number, sender))
    )
