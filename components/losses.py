"""Refuses an update that nobody previewed and that would lose data, before its first resource (model/losses.py)."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import Any

import pulumi

from components.guard import RULE, Acknowledged
from components.preflight import Seen
from model.findings import report
from model.ledger import Resource
from model.losses import Made, fixed, losses
from model.names import Names
from model.settings import Settings

_UNKNOWN = object()


class Losses:
    """Sees what the program makes, and holds it against what the last update left behind."""

    @classmethod
    def of(cls, settings: Settings, seen: Seen) -> Losses:
        """Those of this stack. Made before the first resource."""
        exchangers = {Names.of(settings).mx, *(model.mx.host for model in seen.deployed)}
        # Previews go on: their readers see the whole of a change, and the hook's words in it.
        watched = settings.storage.protect and not pulumi.runtime.is_dry_run()
        return cls(seen.state if watched else (), exchangers, settings.acknowledged)

    def __init__(
        self, state: Sequence[Resource], exchangers: Collection[str], acknowledged: Acknowledged
    ) -> None:
        self._state, self._exchangers, self._acknowledged = state, exchangers, acknowledged
        self._made: list[Made] = []
        self._types: dict[pulumi.Resource, str] = {}
        if state:
            pulumi.runtime.register_stack_transformation(self._see)

    def refuse(self) -> None:
        """For the last line of the program: the engine hears of no resource before it. Raises pulumi.RunError."""
        found = [
            finding
            for finding in losses(self._state, self._made, self._exchangers)
            if not self._acknowledged(RULE, finding.path)
        ]
        if found:
            raise pulumi.RunError(report(found))

    def _see(self, args: pulumi.ResourceTransformationArgs) -> None:
        # The stack itself is in no URN, and has not been seen.
        above = self._types.get(args.opts.parent) if args.opts.parent else None
        types = f"{above}${args.type_}" if above else args.type_
        self._types[args.resource] = types
        inputs = fixed(args.type_, lambda path: _plain(args.props, path.split(".")))
        known = {path: value for path, value in inputs.items() if value is not _UNKNOWN}
        self._made.append(Made(f"{types}::{args.name}", known))


def _plain(inputs: Any, keys: Sequence[str]) -> Any:
    """What stands there as plain JSON; _UNKNOWN for what is known later only."""
    for key in keys:
        if isinstance(inputs, pulumi.Output):
            return _UNKNOWN
        snake = re.sub("([A-Z])", lambda found: f"_{found[1].lower()}", key)
        if isinstance(inputs, Mapping):
            inputs = inputs.get(snake, inputs.get(key))
        else:
            inputs = getattr(inputs, snake, None)
    if isinstance(inputs, pulumi.Output):
        return _UNKNOWN
    return list(inputs) if isinstance(inputs, tuple) else inputs
