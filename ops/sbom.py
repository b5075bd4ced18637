"""`./kolab sbom`: what a stack is made of, as a software bill of materials (CycloneDX 1.6, ECMA-424) for scanners and audits.

Everything in it is read from what is pinned: locked packages, the Go modules that the CLI is built from where it cannot
be downloaded, and the images that pods name. Nothing is fetched.
"""

from __future__ import annotations

import argparse
import base64
import datetime
import os
import re
import sys
import uuid
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

from cyclonedx.model import HashAlgorithm, HashType, Property
from cyclonedx.model.bom import Bom
from cyclonedx.model.component import Component, ComponentType
from cyclonedx.output.json import JsonV1Dot6
from packageurl import PackageURL

from model import images
from model.settings import ImagesRegistry
from model.stack_file import NAMESPACE
from model.version import VERSION
from ops.stacks import ROOT, StackFile, StackProblem
from toolchain import versions

_NAME = "kolab-on-kubernetes"
_LOCKS = ("requirements.txt", "policy/requirements.txt")
_MODULES = "toolchain/go/pulumi/go.sum"
_SAME = uuid.UUID("6a2e3f0e-5f0c-5d0a-9a55-6b1d6f1f3c52")
"""Numbers of bills are made from it and from what they say: the same materials give the same bill."""


def add_command(commands: Any) -> None:
    """Registers the command."""
    parser = commands.add_parser(
        "sbom", help="print what a stack is made of: packages, Go modules, images (CycloneDX JSON)"
    )
    # Not `add_stack`: a release is about no stack.
    parser.add_argument(
        "-s",
        "--stack",
        dest="of",
        help="the stack whose images are meant; default: every image that some stack runs",
    )
    parser.set_defaults(run=run)


def run(options: argparse.Namespace) -> None:
    """Prints the bill. Raises StackProblem when SOURCE_DATE_EPOCH is no time, StackFileError for the stack file."""
    if options.of is None:
        used = {images.reference(ImagesRegistry(), name) for name in (*images.KOLAB, *images.OTHERS)}
    else:
        settings, _ = StackFile.read(options.of).settings()
        used = {images.reference(settings.images, name) for name in images.used(settings)}
    sys.stdout.write(bill(ROOT, used, _now(os.environ.get("SOURCE_DATE_EPOCH"))))


def bill(root: Path, used: Iterable[str], made: datetime.datetime) -> str:
    """The document: the program with its packages and tools, and the images `used`."""
    parts = [*_packages(root), *_modules(root), *_tools(), *map(_image, sorted(used))]
    purl = PackageURL("generic", None, _NAME, VERSION)
    program = _part(_NAME, VERSION, purl, (), ComponentType.APPLICATION)
    document = Bom(
        components=parts, serial_number=uuid.uuid5(_SAME, "\n".join(map(_line, (program, *parts))))
    )
    document.metadata.component = program
    document.metadata.timestamp = made
    document.register_dependency(program, parts)
    return f"{JsonV1Dot6(document).output_as_string(indent=2)}\n"


def _line(part: Component) -> str:
    return " ".join(map(str, (part.purl, *sorted(each.content for each in part.hashes))))


def _packages(root: Path) -> Iterator[Component]:
    """Locked Python packages, each with the SHA-256 of every file that pip would take for it."""
    found: dict[tuple[str, str], set[str]] = {}
    for lock in _LOCKS:
        for entry in re.split(r"\n(?=\S)", (root / lock).read_text()):
            if match := re.match(r"([A-Za-z0-9._-]+)(?:\[[^]]*\])?==([^ ;\\]+)", entry):
                found.setdefault((match[1], match[2]), set()).update(
                    re.findall(r"sha256:([0-9a-f]{64})", entry)
                )
    for (name, version), hashes in sorted(found.items()):
        yield _part(name, version, PackageURL("pypi", None, name, version), hashes)


def _modules(root: Path) -> Iterator[Component]:
    """Go modules, with the SHA-256 of their files' list (golang.org/x/mod/sumdb/dirhash, `h1:`)."""
    for line in (root / _MODULES).read_text().splitlines():
        module, version, mark = line.split()
        if not version.endswith("/go.mod"):
            space, _, name = module.rpartition("/")
            digest = base64.b64decode(mark.removeprefix("h1:")).hex()
            yield _part(module, version, PackageURL("golang", space or None, name, version), {digest})


def _tools() -> Iterator[Component]:
    """What is downloaded by its version, and checked against the SHA-256 of its release (toolchain/obtain.py)."""
    for name, version in (("pulumi", versions.PULUMI), ("pulumi-kubernetes", versions.KUBERNETES_PLUGIN)):
        purl = PackageURL("github", "pulumi", name, f"v{version}")
        yield _part(name, version, purl, (), ComponentType.APPLICATION)


def _image(reference: str) -> Component:
    """An image as pods name it. One without a digest is whatever the registry has under its tag."""
    base, digest_mark, digest = reference.partition("@")
    tag = None
    if not digest_mark:
        base, _, tag = base.rpartition(":")
    name = base.rpartition("/")[2]
    qualifiers = {"repository_url": base, **({"tag": tag} if tag else {})}
    purl = PackageURL("oci", None, name, digest or None, qualifiers)
    hashes = {digest.removeprefix("sha256:")} if digest else set()
    part = _part(base, digest or tag or "", purl, hashes, ComponentType.CONTAINER)
    part.properties.add(Property(name=f"{NAMESPACE}:pinned", value="digest" if digest else "tag"))
    return part


def _part(
    name: str,
    version: str,
    purl: PackageURL,
    hashes: Iterable[str],
    kind: ComponentType = ComponentType.LIBRARY,
) -> Component:
    return Component(
        name=name,
        version=version,
        type=kind,
        purl=purl,
        bom_ref=purl.to_string(),
        hashes=[HashType(alg=HashAlgorithm.SHA_256, content=each) for each in sorted(hashes)],
    )


def _now(epoch: str | None) -> datetime.datetime:
    """When the bill is made; a release says when its commit was (https://reproducible-builds.org/specs/source-date-epoch)."""
    if epoch is None:
        return datetime.datetime.now(datetime.UTC).replace(microsecond=0)
    try:
        return datetime.datetime.fromtimestamp(int(epoch), datetime.UTC)
    except (ValueError, OverflowError, OSError):
        raise StackProblem(
            "SOURCE_DATE_EPOCH is no number of seconds since 1970: unset it or correct it"
        ) from None
