"""How lines of a configuration are judged."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from model.extra.values import Value, takes

Promise = Literal[
    "own", "relay", "delivery", "plaintext", "client", "data", "code", "secret", "unseen", "unknown"
]
"""own: the program writes this itself. relay: mail of strangers goes nowhere but here. delivery: mail goes where it should
and nobody else reads it. plaintext: passwords and mail travel by TLS, and passwords are asked for. client: a client is known
by its true address, and trusted for nothing else. data: data stay on their volumes, for as long as people want. code:
nothing runs but what the images have. secret: secrets are secrets of the stack file. unseen: what is closed to the world
stays closed. unknown: nobody knows."""


@dataclass(frozen=True, kw_only=True)
class Language:
    """The names of a configuration, as patterns that are matched in full; the first that matches decides."""

    own: str
    """Names that the program writes itself, or that another setting of the stack file is for."""
    harmless: Mapping[str, Value | tuple[Value, ...]]
    """Names -> values that can do no harm, of one kind or one of several."""
    kept: Mapping[Promise, str]
    """Promise -> names that have to do with it."""
    values: Mapping[Promise, str]
    """Promise -> values that have to do with it, whatever the name; found anywhere in them."""

    def judge(self, name: str, value: str) -> Promise | None:
        """The promise that a line would break, or None for a harmless one."""
        if re.fullmatch(self.own, name):
            return "own"
        if any(re.fullmatch(names, name) and takes(kinds, value) for names, kinds in self.harmless.items()):
            return None
        for promise, names in self.kept.items():
            if re.fullmatch(names, name):
                return promise
        return next((promise for promise, part in self.values.items() if re.search(part, value)), "unknown")
