"""What a component would create."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pulumi

from components.daemon import Site
from components.guard import Guard
from ops.recorder import objects, record

Manifest = dict[str, Any]


def deployed(program: Callable[[Site], object], *, namespace: str = "kolab") -> list[Manifest]:
    """The objects that `program` makes at a site in `namespace`."""

    def run() -> None:
        guard = Guard(protect=True, acknowledged=lambda *_: False)
        program(Site(namespace=namespace, salt=pulumi.Output.secret("salt"), guard=guard))

    return list(objects(record(run)))


def of_kind(found: list[Manifest], kind: str) -> list[Manifest]:
    """The objects of one kind."""
    return [each for each in found if each["kind"] == kind]
