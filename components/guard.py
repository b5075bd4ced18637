"""Nothing that holds mail is deleted or replaced by accident.

`protect` alone is lifted by a command that nobody reviews and stops `destroy` only at the first such resource.
The resource hook also runs in previews (`on_dry_run`), so a pull request that would delete mail fails there,
with the consequence and the way out. It is lifted by an acknowledgement in the stack file.
"""

from __future__ import annotations

from collections.abc import Callable

import pulumi

from model.catalogue.data import DATA_DELETE
from model.settings import Settings

RULE = DATA_DELETE.id
_HOOK = "kolab-data-delete"

Acknowledged = Callable[[str, str], bool]


class Guard:
    """Makes the options of resources that must not vanish. One per stack."""

    @classmethod
    def of(cls, settings: Settings) -> Guard:
        """The guard that the stack file asks for."""
        return cls(protect=settings.storage.protect, acknowledged=settings.acknowledged)

    def __init__(self, *, protect: bool, acknowledged: Acknowledged) -> None:
        self._protect = protect
        self._acknowledged = acknowledged
        # Registered even when off: resources in state remember the hook by name and cannot be deleted without it.
        self._hook = pulumi.ResourceHook(
            _HOOK, self._refuse, opts=pulumi.ResourceHookOptions(on_dry_run=True)
        )

    def options(self, parent: pulumi.Resource, subject: str) -> pulumi.ResourceOptions:
        """Options of a guarded child. `subject` is its logical name, as acknowledgements write it."""
        protect = self._protect and not self._acknowledged(RULE, subject)
        return pulumi.ResourceOptions(
            parent=parent, protect=protect, hooks=pulumi.ResourceHookBinding(before_delete=[self._hook])
        )

    def _refuse(self, args: pulumi.ResourceHookArgs) -> None:
        if self._protect and not self._acknowledged(RULE, args.name):
            raise RuntimeError(str(DATA_DELETE.found(name=args.name)))
