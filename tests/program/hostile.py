"""Stack files with hostile text in every field: shipped ones in which every setting has a value, spoilt one place at a time."""

from __future__ import annotations

import copy
import functools
import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from tests.engine.settings_table import BASES, HARMLESS
from tests.engine.stacks import example

Place = tuple[str | int, ...]

TEXTS = (
    "\n", "\r\n", "\x00", "\x1b[2J", "\u2028", "\x85", "'", '"', "`id`", "$(id)", "${HOME}", "\\", "\\n", "; id", "| id", "& id",
    "{{ .x }}", "{{x}}", "{%x%}", "#x", "\n#x", "%s", "%n", "%{x}", "<x>", " x", "\tx", "*", "\n- x", "\nkey: x", ": x", "'; DROP x; --",
    '"\n}\nserver {\n listen 1;\n}\n', "\nmynetworks = 0.0.0.0/0", ") 1 IN A 192.0.2.66 (", "\n@ IN A 192.0.2.66", '" "', "\nEOF\nid\n",
    "../../x", "://x", "@x", "?x=y", "x" * 300, "x" * 70_000, "ü", "\u202e", "\ud83d\ude00", "\N{FULLWIDTH FULL STOP}", "-x", "--x", "~", "0", "null", "!x",
    "&x", "*x", "|", ">", "[x]", "{x: y}", ",x", "=x", "__proto__", "%00", "%0a", "\x7f",
)  # fmt: skip
"""What shell, nginx, Postfix, Cyrus, zone files, YAML, PromQL, VRL, JSON or templates read as something else than text."""

THINGS: tuple[Any, ...] = (None, True, 0, -1, 10**30, 1.5, float("inf"), float("nan"), [], {}, [[]], {"": None}, {"x": {"y": "z"}}, ["\n"], {"secure": "x"})  # fmt: skip
"""What may stand where a text is expected."""

_MORE: dict[str, Any] = {
    "kubernetes": {"context": "prod", "clusterIdentifier": "prod-1", "namespace": "mail", "clusterDomain": "kube.local"},
    "acknowledge": [{"rule": "mx-lost", "subject": "kolab:mail.mx.stage", "reason": "moved to another house"}],
}  # fmt: skip


@dataclass(frozen=True)
class Spoilt:
    """A stack file, the place that was spoilt in it, and with what."""

    base: str
    place: Place
    values: dict[str, Any]


@functools.cache
def base(name: str) -> dict[str, Any]:
    """A stack file in which every setting of this kind of stack has a value. Copy it before you change it."""
    file, changes = BASES[name]
    found = example(f"Pulumi.{file}")
    # Of another kind than what this stack is about.
    kinds = ("tls", "network.egress", "dns.provider")
    harmless = {path: value for path, value in HARMLESS.get(name, {}).items() if path not in kinds}
    for path, value in {**_MORE, **changes, **harmless}.items():
        _put(found, path, copy.deepcopy(value))
    return found


def _put(config: dict[str, Any], path: str, value: Any) -> None:
    *above, last = ["".join(part.split("[")[0]) for part in path.split(".")]
    node = config
    for key in above:
        node = node.setdefault(key, {})
    node[last] = value


def places(node: Any, at: Place = ()) -> Iterator[Place]:
    """Every value that is no group, and every key of a map (its place ends in the key twice)."""
    children: Any = (
        node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    )
    for key, child in children:
        if isinstance(child, dict | list):
            yield from places(child, (*at, key))
        else:
            yield (*at, key)
        if isinstance(node, dict) and at:
            yield (*at, key, key)


def spoilt(count: int, seed: int) -> Iterator[Spoilt]:
    """So many spoilt stack files; the first ones go through every place once."""
    choose = random.Random(seed)  # noqa: S311 (repeatable)
    every = [(name, place) for name in BASES for place in places(base(name))]
    for number in range(count):
        name, place = every[number] if number < len(every) else choose.choice(every)
        values = copy.deepcopy(base(name))
        _spoil(values, place, choose)
        yield Spoilt(name, place, values)


def _spoil(values: Any, place: Place, choose: random.Random) -> None:
    is_key = len(place) > 1 and place[-1] == place[-2] and isinstance(place[-1], str)
    node = values
    for key in place[: -2 if is_key else -1]:
        node = node[key]
    if is_key:
        node[_hostile(str(place[-1]), choose)] = node.pop(place[-1])
    elif choose.random() < 0.1:
        node[place[-1]] = choose.choice(THINGS)
    else:
        node[place[-1]] = _hostile(str(node[place[-1]]), choose)


def _hostile(text: str, choose: random.Random) -> str:
    bad, middle = choose.choice(TEXTS), len(text) // 2
    return choose.choice((text + bad, bad + text, text[:middle] + bad + text[middle:], bad))
