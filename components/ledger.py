"""The entry of this update in the ledger of the stack (model/ledger.py), on which every other resource depends."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pulumi

from components.preflight import Seen
from model.ledger import Entry
from model.settings import Settings


class Ledger:
    """Made before the first resource."""

    def __init__(self, settings: Settings, seen: Seen, secrets: Mapping[str, str]) -> None:
        entry = Entry.of(settings, seen.deployed, secrets=secrets, ended=seen.ended)
        self._model = entry.model.exported()
        self._made: list[pulumi.Resource] = []
        # An entry stays as it was made: what it followed then is what counts.
        options = pulumi.ResourceOptions(ignore_changes=["input"])
        self._entry = pulumi.Stash(entry.name, input=entry.exported(), opts=options)
        pulumi.runtime.register_stack_transformation(self._book)

    def applied(self) -> pulumi.Output[dict[str, Any]]:
        """The model, once everything of it is made: for the last line of the program."""
        return pulumi.Output.all(*(each.urn for each in self._made)).apply(lambda _: self._model)

    def _book(self, args: pulumi.ResourceTransformationArgs) -> pulumi.ResourceTransformationResult | None:
        made = args.resource
        if not isinstance(made, pulumi.CustomResource) or isinstance(made, pulumi.ProviderResource):
            return None
        self._made.append(made)
        booked = pulumi.ResourceOptions.merge(args.opts, pulumi.ResourceOptions(depends_on=[self._entry]))
        return pulumi.ResourceTransformationResult(args.props, booked)
