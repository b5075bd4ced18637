"""`ops render`: manifests and zones of a stack without engine, plugins, network or passphrase. Secrets are masked."""

from __future__ import annotations

import argparse
import shutil
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pulumi
import yaml

from components.guard import Guard
from components.kolab import Kolab
from components.preflight import inside_project
from model import identity
from model.keys import pairs
from model.settings import Settings
from model.yaml_text import Dumper
from ops.frame import add_stack
from ops.recorder import Registered, objects, record
from ops.stacks import ROOT, StackFile, StackProblem

MASK = "masked"
"""Stands for every secret value."""


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser("render", help="write a stack's manifests and zones to rendered/<stack>/")
    add_stack(parser)
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Writes rendered/<stack>/, in the layout of the kubernetes plugin's render mode."""
    stack = StackFile.read(options.stack, ROOT)
    settings, warnings = stack.settings()
    for warning in (*warnings, *_halves(stack, settings)):
        print(f"warning: {warning}", file=sys.stderr)
    target = ROOT / "rendered" / options.stack
    if not inside_project(target / "manifests", ROOT) or not inside_project(target / "zones", ROOT):
        raise StackProblem(
            f"rendered/{options.stack} leads out of the project through a link: remove the link"
        )
    written = write_manifests(objects(resources(settings)), target / "manifests")
    zones = write_zones(settings, target / "zones")
    print(f"render: {written} manifests and {zones} zones in {target.relative_to(ROOT)}/", file=sys.stderr)


def _halves(stack: StackFile, settings: Settings) -> Iterator[str]:
    """Public halves that are written although nothing here can sign with the private ones."""
    if settings.example or settings.scope == "dns":
        return
    for pair in pairs(settings):
        if pair.public is not None and pair.secret not in stack.secret_keys:
            yield f"kolab:{pair.path} is rendered, but its private half kolab:{pair.secret} is not in the stack file"


def masked(key: str) -> str:
    """What stands for the secret of this key."""
    return f"{MASK}-{key}"


def resources(settings: Settings, value: Callable[[str], str] = masked) -> list[Registered]:
    """What the program registers for `settings`, with a `value` in place of each secret."""

    def program() -> None:
        Kolab(settings, lambda key: pulumi.Output.secret(value(key)), Guard.of(settings))

    return record(program)


def write_zones(settings: Settings, folder: Path, served: Mapping[str, int] | None = None) -> int:
    """Writes every zone of the stack, forward and reverse, as a zone file; returns how many.

    Serials go on from the files that lie there, and from those that name servers have now (zone -> `served`). Raises
    StackProblem, with nothing written, when a file there has none.
    """
    written = {}
    for zone, records in identity.zones(settings).items():
        path = folder / identity.file_name(zone)
        previous = path.read_text() if path.exists() else None
        try:
            written[path] = identity.zone_file(
                settings, zone, records, served=(served or {}).get(zone), previous=previous
            )
        except ValueError as error:
            raise StackProblem(
                f"{path} {error}, so the serial of {zone} could go back: remove the file, and tell the serial that"
                f" your servers have with ./kolab dns export --served {zone}=<serial>"
            ) from None
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    for path, text in written.items():
        path.write_text(text)
    return len(written)


def write_manifests(found: Iterable[dict[str, Any]], folder: Path) -> int:
    """Writes objects as the genuine plugin names them; returns how many. An earlier rendering is replaced."""
    shutil.rmtree(folder, ignore_errors=True)
    count = 0
    for item in found:
        path = folder / file_name(item)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(yaml.dump(item, Dumper=Dumper, sort_keys=True, width=10_000))
        path.chmod(0o600)
        count += 1
    return count


def file_name(item: dict[str, Any]) -> str:
    """Path of an object's file below the folder (kubernetes plugin: renderYamlToDirectory)."""
    stage = "0-crd" if item["kind"] == "CustomResourceDefinition" else "1-manifest"
    metadata = item["metadata"]
    version = item["apiVersion"].replace("/", "_")
    return f"{stage}/{version}-{item['kind'].lower()}-{metadata.get('namespace', 'default')}-{metadata['name']}.yaml"
