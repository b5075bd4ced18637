"""`ops images`: which images a stack runs, and their digests."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from ops.frame import add_json, add_stack
from ops.secrets import known
from ops.stacks import Pulumi, StackFile
from ops.tables import table

_PLATFORM = "linux/amd64"


def add_command(commands: Any) -> None:
    """Registers the command and its actions."""
    parser = commands.add_parser(
        "images", help="list a stack's images, pin them by digest, look for newer ones, mirror them"
    )
    actions = parser.add_subparsers(dest="action", required=True, metavar="ACTION")
    listed = actions.add_parser(
        "list", help="every image, who publishes it, its tag and digest, and what runs it"
    )
    add_stack(listed)
    add_json(listed)
    pinned = actions.add_parser(
        "pin", help="ask the registries for the digests of tags, and write them into the stack file"
    )
    pinned.add_argument("names", nargs="*", metavar="IMAGE", help="default: those that have no digest")
    pinned.add_argument("--all", action="store_true", help="also those that have one: what the tags mean now")
    pinned.add_argument(
        "--platform",
        action="append",
        metavar="OS/ARCHITECTURE",
        help=f"refuse an image that has none for it; may be repeated; default: {_PLATFORM}",
    )
    checked = actions.add_parser(
        "check",
        help="whether the images fit this stack: each is rehearsed here, alone and without a network, as an update would",
    )
    checked.add_argument("names", nargs="*", metavar="IMAGE", help="default: all that are adjusted")
    checked.add_argument(
        "--tag", action="store_true", help="what the tags mean now, not the digests of the stack file"
    )
    checked.add_argument(
        "--platform",
        default=_PLATFORM,
        metavar="OS/ARCHITECTURE",
        help="whose files are read; default: %(default)s",
    )
    checked.add_argument(
        "--files-only", action="store_true", help="run nothing of the images, and look at their files alone"
    )
    newer = actions.add_parser(
        "newer", help="what the registries have that this stack does not; changes nothing"
    )
    mirrored = actions.add_parser(
        "mirror", help="bring all that an installation asks the world for into a folder, for a closed network"
    )
    mirrored.add_argument("folder", type=Path, metavar="FOLDER")
    mirrored.add_argument(
        "--prove",
        action="store_true",
        help="fetch nothing: only show that nothing outside of FOLDER is asked for",
    )
    for each in (pinned, checked, newer, mirrored):
        add_stack(each)
        each.add_argument(
            "--ca", type=Path, metavar="FILE", help="certificates in PEM of a registry's own authority"
        )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Does one action. Raises StackProblem, with nothing written, when a registry does not give what is asked."""
    from ops.images import mirror, newer, pin, reference, registry, verdicts  # noqa: PLC0415 - other commands need no HTTP client

    stack = StackFile.read(options.stack)
    settings, _ = known(stack)
    images = reference.of(settings)
    if options.action == "list":
        print(_json(images) if options.json else _listed(images))
        return
    registries = registry.Registries(authorities=options.ca)
    if options.action == "newer":
        print(table(("IMAGE", "THIS STACK", "THE REGISTRY"), newer.rows(registries, images)))
        return
    if options.action == "check":
        verdicts.show(
            registries,
            settings,
            images,
            options.names,
            tag=options.tag,
            platform=options.platform,
            files_only=options.files_only,
        )
        return
    if options.action == "mirror":
        if not options.prove:
            mirror.write(registries, settings, images, options.folder, _say)
        _say(mirror.prove(settings, options.folder))
        return
    asked = pin.chosen(images, options.names, again=options.all)
    found = pin.resolve(registries, asked, options.platform or [_PLATFORM], _say)
    written = pin.write(stack, Pulumi(options.stack), found)
    _say(
        f"images: {', '.join(written)} pinned; let somebody read it, then make preview STACK={stack.name}"
        if written
        else "images: nothing was missing"
    )


def _listed(images: Sequence[Any]) -> str:
    rows = [
        (
            image.name,
            image.owner,
            f"{image.registry}/{image.repository}",
            image.tag,
            image.digest.removeprefix("sha256:")[:12] if image.digest else "none",
            ", ".join(image.users),
        )
        for image in images
    ]
    return table(("IMAGE", "OWNER", "REPOSITORY", "TAG", "DIGEST", "RUN BY"), rows)


def _json(images: Sequence[Any]) -> str:
    return json.dumps([{**asdict(image), "owner": image.owner} for image in images], indent=2)


def _say(text: str) -> None:
    print(text, file=sys.stderr)
