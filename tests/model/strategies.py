"""Generated stack files: shipped ones with values of the right kind put anywhere, and then mangled.

Values are drawn from the schema that editors use, so that a new setting is generated as soon as it exists.
"""

from __future__ import annotations

import copy
import functools
from typing import Any

from hypothesis import strategies as st

from ops.reference import schema
from tests.model.files import Raw, raw

Schema = dict[str, Any]
Path = tuple[str, ...]

BASES = ("single-node", "cluster", "real")

KINDS: dict[str, st.SearchStrategy[Any]] = {
    "host name": st.sampled_from(("example.org", "mail.example.org", "kolabtest.eu", "münchen.example", "a.b.c.d.eu")),
    "mail address": st.sampled_from(("jane@example.org", "dmarc@reports.example", "a@münchen.example")),
    "Kubernetes name": st.sampled_from(("kolab", "worker1", "server1.example.org", "n")),
    "processors": st.sampled_from(("500m", "2", 2, 0.5)),
    "size of a message": st.sampled_from(("1Mi", "10Mi", "50M", "1Gi")),
    "size of a volume": st.sampled_from(("64Mi", "10Gi", "1.5Ti")),
    "memory": st.sampled_from(("64Mi", "512Mi", "10Gi")),
    "duration of metrics": st.sampled_from(("15d", "1h")),
    "duration of logs": st.sampled_from(("15d", "1h")),
    "URL": st.sampled_from(("https://wiki.example.org/mail", "https://wiki.example.org/a?b=c")),
    "https URL": st.sampled_from(("https://acme.example.org/directory", "https://[2001:db8::1]:8443/acct/1")),
    "https URL without path": st.sampled_from(("https://s3.example.net", "https://s3.example.net:9000/")),
    "URL, or `secret`": st.sampled_from(("https://alerts.example.com/kolab", "http://10.0.0.5:8080", "secret")),
    "reverse zone": st.sampled_from(("8.b.d.0.1.0.0.2.ip6.arpa", "0-15.2.0.192.in-addr.arpa", "0/28.2.0.192.IN-ADDR.arpa.")),
    "IP address": st.sampled_from(
        ("192.0.2.10", "10.20.0.10", "10.20.0.11", "11.0.0.10", "11.0.0.77", "10.42.0.1", "127.0.0.1", "2001:db8::1", "2a00:1450::1")
    ),
    "network": st.sampled_from(("10.42.0.0/16", "10.0.0.0/8", "0.0.0.0/0", "2001:db8::/32", "192.0.2.0/24")),
}  # fmt: skip
TEXT = st.sampled_from(("", "a", "imap", "amavis", "postfix", "https://s3.example.net", "letsencrypt.org", "8.b.d.0.1.0.0.2.ip6.arpa"))  # fmt: skip
KEYS = st.sampled_from(("example.org", "example.net", "imap", "postfix", "worker1", "k202611", "10.20.0.10", "192.0.2.10", "ns1.example.org"))  # fmt: skip
JUNK: Any = st.sampled_from((None, "", "junk", 0, -1, 1.5, True, [], {}, [None], {"": None}, [[]], "\x00", "ü" * 300, 10**30))  # fmt: skip


@functools.cache
def _settings() -> Schema:
    return schema.settings()


def value(wanted: Schema) -> st.SearchStrategy[Any]:
    """Values that the schema allows."""
    if "$ref" in wanted:
        return st.deferred(lambda: value(_settings()["$defs"][wanted["$ref"].rpartition("/")[2]]))
    if "const" in wanted or "enum" in wanted:
        return st.sampled_from([wanted["const"]] if "const" in wanted else wanted["enum"])
    if wanted.get("title") in KINDS:
        return KINDS[wanted["title"]]
    choices = [value(choice) for choice in (*wanted.get("anyOf", ()), *wanted.get("oneOf", ()))]
    return st.one_of(choices) if choices else _plain(wanted)


def _plain(wanted: Schema) -> st.SearchStrategy[Any]:
    match wanted["type"]:
        case "array":
            return st.lists(value(wanted["items"]), max_size=3)
        case "object":
            return _objects(wanted)
        case "integer":
            least = wanted.get("minimum", wanted.get("exclusiveMinimum", -1) + 1)
            return st.integers(least, wanted.get("maximum", 200))
        case "boolean":
            return st.booleans()
    return st.from_regex(wanted["pattern"], fullmatch=True) if "pattern" in wanted else TEXT


def _objects(wanted: Schema) -> st.SearchStrategy[Any]:
    if "properties" in wanted:
        required = wanted.get("required", ())
        fields = {name: value(child) for name, child in wanted["properties"].items()}
        return st.fixed_dictionaries(
            {name: field for name, field in fields.items() if name in required},
            optional={name: field for name, field in fields.items() if name not in required},
        )
    inner = wanted.get("additionalProperties") or next(iter(wanted["patternProperties"].values()))
    return st.dictionaries(KEYS, value(inner), max_size=2)


@functools.cache
def places() -> tuple[tuple[Path, Schema], ...]:
    """Every setting: the path of its key, and its schema. Sections of several kinds are one setting."""
    return tuple(_below((), _settings()))


def _below(at: Path, section: Schema) -> list[tuple[Path, Schema]]:
    found = []
    for name, child in section.get("properties", {}).items():
        found.append(((*at, name), child))
        if "$ref" in child:
            found += _below((*at, name), _settings()["$defs"][child["$ref"].rpartition("/")[2]])
    return found


@st.composite
def stack_files(draw: st.DrawFn) -> Raw:
    """A shipped stack file with up to three settings replaced by others that are right in form."""
    values = raw(draw(st.sampled_from(BASES)))
    for path, wanted in draw(st.lists(st.sampled_from(places()), max_size=3)):
        put(values, path, draw(value(wanted)))
    return values


@st.composite
def mangled(draw: st.DrawFn) -> Raw:
    """The same with up to three places spoilt: junk, unknown keys, keys that are gone."""
    values = draw(stack_files())
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(_existing(values)))
        match draw(st.sampled_from(("junk", "unknown", "gone"))):
            case "junk":
                put(values, path, draw(JUNK))
            case "unknown":
                put(values, (*path[:-1], draw(st.text(min_size=1, max_size=8))), draw(JUNK))
            case "gone":
                _take(values, path)
    return values


def _existing(node: Any, at: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    children = node.items() if isinstance(node, dict) else enumerate(node) if isinstance(node, list) else ()
    found = [((*at, key), child) for key, child in children]
    return [path for path, _ in found] + [
        deep for path, child in found for deep in _existing(child, path)
    ] or [("mode",)]


def put(values: Raw, path: tuple[Any, ...], found: Any) -> None:
    node: Any = values
    for key in path[:-1]:
        if isinstance(node, dict) and not isinstance(node.get(key), dict | list):
            node[key] = {}
        node = node[key]
    if isinstance(node, dict) or path[-1] in range(len(node)):
        node[path[-1]] = copy.deepcopy(found)


def _take(values: Raw, path: tuple[Any, ...]) -> None:
    node: Any = values
    for key in path[:-1]:
        node = node[key]
    if isinstance(node, list):
        del node[path[-1]]
    else:
        node.pop(path[-1], None)
