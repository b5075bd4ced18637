"""Hostile text in any field of a stack file is refused with its key, or harmless in every generated file."""

from __future__ import annotations

import functools
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import identity
from model.settings import Settings
from model.stack_file import StackFileError, load
from ops import render
from ops.recorder import objects
from tests.engine.settings_table import BASES
from tests.program.hostile import Spoilt, base, spoilt
from tests.support.tools import tool

pytestmark = [pytest.mark.thorough, pytest.mark.security]

COUNT = 6000
GENERATED = 40
"""Of what is accepted, so many are made into files: that takes its time."""

_DANGEROUS = re.compile(r"[\x00-\x1f\x7f-\x9f\"`$\\{}|;<>\u2028\u202e]|%(?![0-9A-Fa-f]{2})|\s")
_UNPRINTABLE = re.compile(r"[^ -~]")
_LINES = ".extra."
"""Lines for daemons, of printable ASCII and judged by model/extra."""
_KEYS = re.compile(r"\.trust_anchors [0-9]+ [0-9]+ [0-9] [0-9A-Fa-f]+")
"""DS records in their presentation format, whose spaces part numbers (RFC 4034 section 5.3)."""
_FREE = ("reason", "passport_public_key", "authorities")
"""Texts that no daemon reads, or that have lines by their nature."""


def texts(node: Any, at: str = "") -> Iterator[tuple[str, str]]:
    """Every text in the settings, keys of maps included."""
    if isinstance(node, dict):
        for key, child in node.items():
            yield at, str(key)
            yield from texts(child, f"{at}.{key}")
    elif isinstance(node, list):
        for child in node:
            yield from texts(child, at)
    elif isinstance(node, str):
        yield at, node


def outcome(case: Spoilt) -> Settings | StackFileError:
    try:
        return load(case.values, need_secrets=False)[0]
    except StackFileError as error:
        return error


@functools.cache
def results() -> tuple[tuple[Spoilt, Settings | StackFileError], ...]:
    """What the loader makes of each. An exception of another kind ends the test with its traceback."""
    return tuple((case, outcome(case)) for case in spoilt(COUNT, seed=18))


def accepted() -> list[tuple[Spoilt, Settings]]:
    """Those that came through, without those that are as if nothing had been spoilt."""
    plain = {name: outcome(Spoilt(name, (), base(name))) for name in {case.base for case, _ in results()}}
    found: dict[str, tuple[Spoilt, Settings]] = {}
    for case, each in results():
        if isinstance(each, Settings) and each != plain[case.base]:
            found.setdefault(repr(each), (case, each))
    return list(found.values())


@pytest.mark.parametrize("name", BASES)
def test_before_it_is_spoilt_a_stack_file_is_right(name: str) -> None:
    assert isinstance(outcome(Spoilt(name, (), base(name))), Settings)


def test_a_refusal_is_readable_and_names_a_key() -> None:
    for case, each in results():
        if isinstance(each, StackFileError):
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f]", str(each)), case.place
            for finding in each.findings:
                assert re.fullmatch(r"kolab:\S.*", finding.path), (case.place, finding)


def test_what_is_spoilt_in_form_is_refused_at_its_own_key() -> None:
    for case, each in results():
        if isinstance(each, StackFileError) and all(
            f.rule in ("value", "unknown-key", "missing") for f in each.findings
        ):
            top = str(case.place[0])
            assert any(f.path.startswith(f"kolab:{top}") for f in each.findings), (case.place, each)


def test_no_text_that_is_accepted_means_anything_to_another_language() -> None:
    for case, each in results():
        if isinstance(each, Settings):
            for at, text in texts(each.model_dump(mode="json")):
                bad = _UNPRINTABLE if at.startswith(_LINES) else _DANGEROUS
                if not at.endswith(_FREE) and bad.search(text):
                    name = at.rpartition(".")[2]
                    assert _KEYS.fullmatch(f".{name} {text}"), (case.place, at, text[:80])


def test_every_setting_was_spoilt() -> None:
    tops = {case.place[0] for case, _ in results()}
    assert tops >= {
        "domain",
        "network",
        "dns",
        "mail",
        "tls",
        "monitoring",
        "storage",
        "images",
        "external",
        "acknowledge",
    }
    assert len(results()) == COUNT


def generated(settings: Settings) -> dict[str, Any]:
    """Everything that is written for a stack: objects and zones."""
    found: dict[str, Any] = {
        f"{zone}.zone": identity.zone_file(settings, zone, records)
        for zone, records in identity.zones(settings).items()
    }
    for each in objects(render.resources(settings)):
        found[f"{each['kind']} {each['metadata']['name']}"] = each
    return found


def files(settings: Settings) -> dict[str, str]:
    """Files in ConfigMaps, and zones."""
    found = {}
    for name, each in generated(settings).items():
        if isinstance(each, str):
            found[name] = each
        elif each["kind"] == "ConfigMap":
            found |= {f"{each['metadata']['name']}.{key}": text for key, text in each["data"].items()}
    return found


def lines(settings: Settings) -> list[int]:
    """How many lines each file has."""
    return sorted(len(text.splitlines()) for text in files(settings).values())


_DECIDES = (
    ("domain",),
    ("hostedDomains",),
    ("dns",),
    ("hosts",),
    ("mode",),
    ("mail", "dmarc", "ruf"),
    ("mail", "dmarc", "rua"),
    ("mail", "reports"),
)
"""Keys that decide which zones, records and mailboxes there are, whatever their text: reports to a domain of ours want a
record, and somebody who takes them."""


def test_what_is_accepted_has_the_files_and_lines_of_a_harmless_value() -> None:
    compared = 0
    for case, each in accepted()[:GENERATED]:
        if not any(case.place[: len(key)] == key for key in _DECIDES) and _is_text(case):
            assert lines(each) == lines(Settings.model_validate(base(case.base))), case.place
            compared += 1
    assert compared


def _is_text(case: Spoilt) -> bool:
    """A field that holds text before and after, so that the stack has the same parts."""
    was: Any = base(case.base)
    now: Any = case.values
    for key in case.place:
        if not isinstance(was, dict | list) or (isinstance(now, dict) and key not in now):
            return False
        was, now = was[key], now[key]  # type: ignore[index]
    return isinstance(was, str) and isinstance(now, str)


def test_the_daemons_own_parsers_read_what_is_accepted(tmp_path: Path) -> None:
    checked = 0
    for number, (case, each) in enumerate(accepted()[:12]):
        folder = tmp_path / str(number)
        folder.mkdir()
        for name, text in files(each).items():
            path = folder / name.replace("/", "_")
            path.write_text(text)
            command = _parser(name, path)
            if command is not None and (found := tool(command[0])):
                done = subprocess.run([found, *command[1:]], capture_output=True, text=True, check=False)
                assert done.returncode == 0, (case.place, name, done.stdout + done.stderr)
                checked += 1
            elif name.endswith((".yml", ".yaml")):
                yaml.safe_load(text)
                checked += 1
    assert checked > 12


def _parser(name: str, path: Path) -> list[str] | None:
    if name.endswith(".sh"):
        return ["bash", "-n", str(path)]
    if name.endswith(".zone"):
        return ["named-checkzone", "-i", "none", "-k", "ignore", name.removesuffix(".zone"), str(path)]
    if name.endswith("alertmanager.yml"):
        return ["amtool", "check-config", str(path)]
    return ["promtool", "check", "rules", str(path)] if "rules" in name and name.endswith(".yml") else None
