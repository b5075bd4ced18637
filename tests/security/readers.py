"""What everything that is written for a stack looks like to the parsers of its languages, without the values in it.

A shape is a line such as `nginx http.conf map>host 2`: a place in a parsed file. Two stacks that differ in a value alone
have the same shapes as often. Values end in leaves; one that becomes a line, a directive, a word or a record of its own
makes another shape.
"""

from __future__ import annotations

import functools
import hashlib
import io
import json
import re
import shlex
import subprocess
import urllib.parse
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import crossplane
import dns.rdatatype
import dns.zone
import promql_parser
import pulumi
import yaml

from components.guard import Guard
from components.kolab import Kolab
from model import identity
from model.settings import Settings
from ops.recorder import objects, record

Shapes = Counter[str]

_NAMED = ("labels", "matchLabels", "nodeSelector", "annotations", "data", "stringData", "pod_labels")
"""Maps whose keys are values."""
_LARAVEL = ("true", "(true)", "false", "(false)", "null", "(null)", "empty", "(empty)")
"""Texts that PHP's applications read as something else (Laravel: Illuminate/Support/Env.php)."""
_MEANT = frozenset("\n\r\t\0\"'`\\$;|&<>(){}*!#")
"""Signs of shells, sed (upstream's inits use `|`) and SQL: a value in an environment has none that a harmless one lacks."""


class Misread(Exception):
    """A parser refuses what was written, or reads another value than was meant."""


def shapes(settings: Settings, secrets: Mapping[str, str], folder: Path) -> Shapes:
    """All shapes of a stack; `folder` is for files that parsers want to read."""

    def program() -> None:
        Kolab(
            settings,
            lambda key: pulumi.Output.secret(secrets.get(key, f"masked-{key}")),
            Guard.of(settings),
        )

    found: Shapes = Counter()
    for each in objects(record(program)):
        files = {**(each.pop("data", None) or {}), **(each.pop("stringData", None) or {})}
        found.update(f"{each['kind']} {line}" for line in _tree(each, _leaf))
        for name, text in files.items():
            found.update(f"{each['kind']} {line}" for line in read(name, text, folder))
    for zone, records in identity.zones(settings).items():
        found.update(_zone(zone, identity.zone_file(settings, zone, records)))
    return found


@functools.cache
def read(name: str, text: str, folder: Path) -> tuple[str, ...]:
    """Shapes of one file of a ConfigMap or Secret. Most files of two stacks are the same, and are read once."""
    for pattern, reader in _READERS:
        if re.fullmatch(pattern, name):
            return tuple(reader(name, text, folder))
    return (f"value {_reference(text)}",)


def _tree(node: Any, leaf: Callable[[str, Any], str], at: str = "") -> Iterator[str]:
    """Every leaf with its place: what is in a list stands at one place."""
    if isinstance(node, dict):
        yield f"{at}{{{len(node)}}}"
        named = at.rsplit(".", 1)[-1].removesuffix("[]") in _NAMED
        for key, child in node.items():
            yield from _tree(child, leaf, f"{at}.{'*' if named else key}")
    elif isinstance(node, list):
        yield f"{at}[{len(node)}]"
        if at.endswith((".command", ".args")) and "-c" in node:
            yield f"{at} runs {_hash(json.dumps(node))}"
        for child in node:
            yield from _tree(child, leaf, f"{at}[]")
    else:
        yield leaf(at, node)


def _leaf(at: str, value: Any) -> str:
    if not isinstance(value, str):
        return f"{at} {type(value).__name__}"
    return f"{at} {_reference(value)}" if re.search(r"\.(env\[\]\.value|command\[\]|args\[\])$", at) else at


def _reference(text: str) -> str:
    """What Kubernetes, a shell, sed and PHP see in a variable's value or an argument."""
    kind = "word" if text.lower() in _LARAVEL else "url" if "://" in text else "text"
    if kind == "url":
        parts = urllib.parse.urlsplit(text)
        kind = f"url {bool(parts.username)} {bool(parts.port)} {bool(parts.query)} {bool(parts.fragment)}"
    # What stands in quotes is a leaf, as in PHP; the quotes themselves are signs.
    bare = _LITERAL.sub("''", text)
    return f"{kind} {len(bare.split())} {''.join(sorted(set(bare) & _MEANT))!r}"


def _hash(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()[:12]


def _program(name: str, text: str, _: Path) -> Iterator[str]:
    """Nothing makes program text: the files are those of components/scripts."""
    yield f"program {name} {_hash(text)}"


def _settings(_: str, text: str, folder: Path) -> Iterator[str]:
    """bash reads the file and does nothing else."""
    file = folder / "settings"
    file.write_text(text)
    script = 'set -eu; PATH=; cd "$2"; source "$1"; for name in ${!KOLAB_@}; do printf "%s=%s\\0" "$name" "${!name}"; done'
    done = subprocess.run(
        ["bash", "-c", script, "bash", file, folder], capture_output=True, env={}, check=False
    )
    found = dict(pair.split("=", 1) for pair in done.stdout.decode().split("\0")[:-1])
    meant = dict(shlex.split(line)[0].split("=", 1) for line in text.splitlines())
    if done.returncode or done.stderr or found != meant:
        raise Misread(f"bash reads {found} where {meant} was meant: {done.stderr!r}")
    for name, value in found.items():
        yield f"settings {name} {len(value.split())}"
    yield from _main_cf(found, folder)


def _main_cf(found: Mapping[str, str], folder: Path) -> Iterator[str]:
    """Postfix keeps and expands each value as it was given (components/scripts/postfix)."""
    meant = {"myhostname": found.get("KOLAB_HELO"), "relayhost": found.get("KOLAB_RELAY")}
    given = {name: value for name, value in meant.items() if value is not None}
    if given:
        (folder / "main.cf").write_text("compatibility_level = 3.6\n")
        (folder / "master.cf").touch()
        postconf = ["/usr/sbin/postconf", "-c", str(folder)]
        _run([*postconf, "-e", *(f"{name} = {value}" for name, value in given.items())])
        answers = _run([*postconf, "-xh", *given]).splitlines()
        if answers != list(given.values()):
            raise Misread(f"Postfix reads {answers} where {given} was meant")
        settings = _run([*postconf, "-n"]).splitlines()
        yield f"main.cf {len(settings)}"


def _run(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode or done.stderr:
        raise Misread(f"{command[0]}: {done.stderr}")
    return done.stdout


def _map(name: str, text: str, folder: Path) -> Iterator[str]:
    """Postfix finds one whole value under each key."""
    (folder / name).write_text(text)
    meant = dict(line.split(" ", 1) for line in text.splitlines())
    for key, value in meant.items():
        answer = _run(["/usr/sbin/postmap", "-q", key, f"texthash:{folder / name}"])
        if answer != f"{value}\n":
            raise Misread(f"Postfix finds {answer!r} under {key!r} in {name}, where {value!r} was meant")
        # A comma begins the next recipient.
        parts = len(value.split(",")) if name == "aliases" else 1
        yield f"{name} entry {parts} {len(value.split())}"


def _nginx(name: str, text: str, folder: Path) -> Iterator[str]:
    file = folder / name
    file.write_text(text)
    parsed = crossplane.parse(str(file), single=True, check_ctx=False, check_args=False)
    if parsed["errors"]:
        raise Misread(f"nginx: {parsed['errors']}")
    for config in parsed["config"]:
        yield from _directives(name, config["parsed"], "")


def _directives(name: str, block: list[dict[str, Any]], at: str) -> Iterator[str]:
    for each in block:
        # In these, what stands first is a value.
        word = "*" if at.endswith(("map>", "geo>")) else each["directive"]
        yield f"nginx {name} {at}{word} {len(each['args'])}"
        yield from _directives(name, each.get("block", []), f"{at}{word}>")


def _yaml(name: str, text: str, _: Path) -> Iterator[str]:
    def leaf(at: str, value: Any) -> str:
        if not isinstance(value, str):
            return f"{name} {at} {type(value).__name__}"
        if at.endswith(".expr"):
            return f"{name} {at} {_promql(value)}"
        if at.endswith((".source", ".condition")):
            return f"{name} {at} {_literals(value)}"
        # Go's templates, and vector's: these are ours and the same in every stack.
        braces = "".join(re.findall(r"\{\{.*?\}\}|\{\{|\}\}", value))
        return f"{name} {at} {value.count(chr(10))} {braces}"

    yield from _tree(yaml.load(text, yaml.CSafeLoader), leaf)


@functools.cache
def _promql(expression: str) -> str:
    """The parsed expression, with its label values and numbers left out."""
    return _hash(_NUMBER.sub("0", _LITERAL.sub("''", promql_parser.parse(expression).prettify())))


_NUMBER = re.compile(r"(?<![\w.])\d+(\.\d+)?(e[+-]?\d+)?(?![\w.])")


_LITERAL = re.compile(r'"(?:[^"\\]|\\.)*"|\'(?:[^\'\\]|\\.)*\'', re.DOTALL)


def _literals(text: str) -> str:
    """A program without the texts in it: they are leaves. What stands between them is its structure."""
    return _hash(_LITERAL.sub("''", text))


def _lines(name: str, text: str, _: Path) -> Iterator[str]:
    """One `name=value` or `name: value` for each line, as coturn and RFC 8461 read it."""
    for line in text.splitlines():
        key, sign, value = re.fullmatch(r"([^=:\s]+)( ?= ?|: ?|)(.*)", line, re.DOTALL).groups()  # type: ignore[union-attr]
        yield f"{name} {key}{sign} {len(value.split())} {set(value) & set('#=,')}"


def _pem(name: str, text: str, _: Path) -> Iterator[str]:
    # There may be several of one kind.
    yield f"pem {name} {sorted(set(re.findall('-----BEGIN (.*?)-----', text)))}"


def _verbatim(name: str, text: str, _: Path) -> Iterator[str]:
    """One line, which the daemon takes from its environment as it is (restic: internal/backend/rest/config.go)."""
    yield f"{name} {len(text.split())} {text.isprintable()}"


def _zone(zone: str, text: str) -> Iterator[str]:
    """Records as dnspython reads them, and what those who read texts see in them."""
    found = dns.zone.from_file(io.StringIO(text), origin=zone, relativize=False, allow_include=False)
    for _, rdataset in found.iterate_rdatasets():
        for rdata in rdataset:
            kind = dns.rdatatype.to_text(rdata.rdtype)
            if kind == "TXT":
                kind += f" {_tags(b''.join(rdata.strings).decode())}"
            elif kind == "CAA":
                kind += f" {rdata.tag.decode()} {_tags(rdata.value.decode())}"
            yield f"zone {kind}"


_DECIDES = r"v|[-+~?]?all|redirect|exp"


def _tags(text: str) -> str:
    """What RFC 7208, 9989, 6376, 8460, 8461 and 8659 make of a text: terms or tags, and lists in them."""
    if text.startswith("v=spf1"):
        names = (re.split(r"[:/=]", term)[0].lower() for term in text.split(" "))
        # Which mechanisms stand there is a setting; what judges all others, or leads elsewhere, is none.
        return f"spf {sorted(name if re.fullmatch(_DECIDES, name) else 'mechanism' for name in names)}"
    if text.startswith("kolab-verify="):
        return "kolab-verify"
    parts = [part.strip() for part in text.split(";")]
    return str(
        [
            (part.split("=")[0] if "=" in part else "", part.count(","), part.count("!"), len(part.split()))
            for part in parts
        ]
    )


_READERS: tuple[tuple[str, Callable[[str, str, Path], Iterator[str]]], ...] = (
    (r".*\.(sh|js|py)|(verdicts|pod|signs|signs-nothing)\.conf", _program),
    (r"settings", _settings),
    (r"aliases|login|exempt", _map),
    (r".*\.ya?ml", _yaml),
    (r"(http|server)\.conf", _nginx),
    (r"(turnserver|unbound)\.conf|mta-sts\.txt|htpasswd|sizes\.ini", _lines),
    (r".*\.(pem|crt|key)|PASSPORT_P.*_KEY", _pem),
    # Alertmanager reads its password from a file that holds nothing else.
    (r"RESTIC_REST_PASSWORD|password", _verbatim),
)
"""Name of a file -> who reads it."""
