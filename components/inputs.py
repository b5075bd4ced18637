"""Values that several components take: what belongs together goes together."""

from __future__ import annotations

from dataclasses import dataclass

import pulumi


@dataclass(frozen=True, kw_only=True)
class Database:
    """A database of MariaDB and the account that owns it: its user has the name of the database."""

    host: str
    port: int
    name: str
    password: pulumi.Input[str]

    def environment(self, prefix: str) -> dict[str, str]:
        """Host, database and user as Kolab's images call them."""
        return {
            "DB_HOST": self.host,
            f"{prefix}_DATABASE": self.name,
            f"{prefix}_USERNAME": self.name,
        }


@dataclass(frozen=True, kw_only=True)
class Queue:
    """Redis as its clients reach it."""

    host: str
    password: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Sizes:
    """Bytes of the largest message, and of the largest request that brings its attachments."""

    message: int
    request: int


@dataclass(frozen=True, kw_only=True)
class OAuthClient:
    """A client of the web application's login (RFC 6749, section 2.2)."""

    id: pulumi.Input[str]
    secret: pulumi.Input[str]


@dataclass(frozen=True, kw_only=True)
class Passport:
    """What signs the web application's tokens (PEM), and the client that it is to itself."""

    private_key: pulumi.Input[str]
    public_key: str
    client: OAuthClient
