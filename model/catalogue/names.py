"""Host names and domains."""

from __future__ import annotations

from model.findings import Rule

DOMAIN_PLACEHOLDER = Rule(
    "domain-placeholder",
    path="{path}",
    problem="is {domain}, a reserved example domain",
    fix="write your own domain; only stacks marked kolab:example may keep it",
    why="A deployed stack must not carry example domains.",
    source="RFC 2606",
)
HOST_SHARED = Rule(
    "host-shared",
    path="kolab:hosts.{key}",
    problem="is {host}, the same as hosts.{other}, which has another address",
    fix="choose a name of its own",
    why="The mail hosts stand apart: MX and HELO names carry other addresses than the web names.",
)
DOMAIN_TWICE = Rule(
    "domain-twice",
    path="kolab:hostedDomains[{index}]",
    problem="lists {domain} twice",
    fix="remove the line",
    why="A domain is listed once, so that its records have one origin.",
)
NAME_TOO_LONG = Rule(
    "name-too-long",
    path="kolab:domain",
    problem="gives the name {host}..., longer than 253 bytes",
    fix="use a shorter domain",
    why="Names that we derive must still fit into DNS.",
)
DOMAIN_FIXED = Rule(
    "domain-fixed",
    path="kolab:domain",
    problem="changes from {old} to {new}, and mail is taken already: the database has the administrator and the owner of every"
    " account in the old one, and nothing moves them",
    fix="put {old} back, and list {new} under kolab:hostedDomains",
    why="The first deployment writes the domain into the database, where accounts and keys belong to it.",
    source="upstream: src/database/seeds, Domain::owner",
)
