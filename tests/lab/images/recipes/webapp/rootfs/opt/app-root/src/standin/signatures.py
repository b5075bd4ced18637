"""Which arguments the application's commands take, and what they say of others (Symfony's console)."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Mapping
from typing import Any

from standin.people import Refused

Options = Mapping[str, Any]
"""Name without -- -> text, a list where it may be repeated, True for a flag."""
Command = Callable[[Options, list[str]], int]

SIGNATURES = {
    "domain:create": "domain --force --tenant=",
    "domain:delete": "domain --with-deleted",
    "domain:set-status": "domain status",
    "domain:set-wallet": "domain wallet --package=",
    "domain:suspend": "domain --comment=",
    "domain:unsuspend": "domain --comment=",
    "domains": "--tenant= --with-deleted --attr=* --filter=*",
    "group:add-member": "group member",
    "group:create": "email --member=*",
    "group:delete": "group",
    "group:info": "group",
    "group:remove-member": "group member",
    "groups": "--tenant= --with-deleted --attr=* --filter=*",
    "resources": "--tenant= --with-deleted --attr=* --filter=*",
    "user:add-alias": "--force user alias",
    "user:aliases": "user",
    "user:assign-sku": "user sku --qty=",
    "user:create": "email --package=* --password= --role= --tenant=",
    "user:delete": "user --with-deleted",
    "user:entitlements": "user",
    "user:password": "user password",
    "user:remove-sku": "user sku --qty=",
    "user:suspend": "user --comment=",
    "user:unsuspend": "user --comment=",
    "user:wallets": "user --attr=*",
    "users": "--tenant= --with-deleted --attr=* --filter=*",
}
"""Command -> what it takes (upstream: src/app/Console/Commands at commit 61ed2499). Of others anything is taken."""


def many(options: Options, name: str) -> list[str]:
    """The values of an option that may be repeated."""
    found = options.get(name, [])
    return [str(each) for each in found] if isinstance(found, list) else [str(found)]


def fitting(name: str, options: dict[str, Any], words: dict[str, str] | list[str]) -> list[str]:
    """The arguments in their order. Raises Refused for what the command does not take."""
    if name not in SIGNATURES:
        return list(words.values()) if isinstance(words, dict) else words
    parts = SIGNATURES[name].split()
    wanted = [part for part in parts if not part.startswith("--")]
    known = {part[2:].rstrip("*").rstrip("=") for part in parts if part.startswith("--")} | {"no-interaction"}
    for each in options.keys() - known:
        raise Refused(f'The "--{each}" option does not exist.')
    if isinstance(words, dict):
        for each in words.keys() - set(wanted):
            raise Refused(f'The "{each}" argument does not exist.')
        words = [words[each] for each in wanted if each in words]
    if len(words) < len(wanted):
        missing = ", ".join(wanted[len(words) :])
        raise Refused(f'Not enough arguments (missing: "{missing}").')
    if len(words) > len(wanted):
        raise Refused("Too many arguments.")
    return words


def typed(arguments: list[str]) -> tuple[str, Options, list[str]]:
    """A command line."""
    name, *rest = arguments or [""]
    options: dict[str, Any] = {}
    words = []
    for argument in rest:
        if argument.startswith("--"):
            key, _, value = argument[2:].partition("=")
            options[key] = [*options[key], value] if isinstance(options.get(key), list) else value
            if f"--{key}=*" in SIGNATURES.get(name, "").split() and isinstance(options[key], str):
                options[key] = [value]
        elif not argument.startswith("-"):
            words.append(argument)
    return name, options, fitting(name, options, words)


def called() -> tuple[str, Options, list[str]]:
    """A name and a map of arguments, as Laravel's Kernel::call takes them."""
    name, given = json.load(sys.stdin)
    options = {key[2:]: value for key, value in given.items() if key.startswith("--")}
    words = {key: str(value) for key, value in given.items() if not key.startswith("--")}
    options.pop("no-interaction", None)
    return name, options, fitting(name, options, words)
