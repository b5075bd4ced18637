"""Nothing that holds mail is deleted or replaced by accident.

`protect` alone is lifted by a command that nobody reviews and stops `destroy` only at the first such resource.
The resource hook also runs in previews (`on_dry_run`), so a pull request that would delete mail fails there,
with the consequence and the way out. It is lifted by an acknowledgement in the stack file, once: what is made anew
under the same name is guarded again.

What a rotation replaces is no loss (model/rotation.py): the Secret of before may go once another has its content.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable

import pulumi

from model import rotation
from model.catalogue.data import DATA_DELETE
from model.deployed import Deployed
from model.settings import Settings

RULE = DATA_DELETE.id
_HOOK = "kolab-data-delete"

Acknowledged = Callable[[str, str], bool]


class Guard:
    """Makes the options of resources that must not vanish. One per stack."""

    @classmethod
    def of(cls, settings: Settings, deployed: Iterable[Deployed] = ()) -> Guard:
        """The guard that the stack file asks for, beside the models that may be deployed."""
        return cls(
            protect=settings.storage.protect,
            acknowledged=settings.acknowledged,
            replaceable=rotation.replaceable(settings),
            pending=rotation.pending(settings, deployed),
        )

    def __init__(
        self,
        *,
        protect: bool,
        acknowledged: Acknowledged,
        replaceable: Collection[str] = (),
        pending: Collection[str] = (),
    ) -> None:
        self._protect = protect
        self._acknowledged = acknowledged
        self._replaceable = replaceable
        # Protected again as soon as the rotation is done, so that `destroy --exclude-protected` leaves it alone.
        self._pending = pending
        self._contents: dict[str, str] = {}
        # Registered even when off: resources in state remember the hook by name and cannot be deleted without it.
        self._hook = pulumi.ResourceHook(
            _HOOK, self._refuse, opts=pulumi.ResourceHookOptions(on_dry_run=True)
        )

    def options(self, parent: pulumi.Resource, subject: str) -> pulumi.ResourceOptions:
        """Options of a guarded child. `subject` is its logical name, as acknowledgements write it."""
        protect = self._protect and subject not in self._pending and not self._acknowledged(RULE, subject)
        return pulumi.ResourceOptions(
            parent=parent, protect=protect, hooks=pulumi.ResourceHookBinding(before_delete=[self._hook])
        )

    def content(
        self, parent: pulumi.Resource, subject: str, name: pulumi.Output[str]
    ) -> pulumi.ResourceOptions:
        """Options of a guarded child whose name in the cluster follows its content."""
        name.apply(lambda known: self._contents.update({subject: known}))
        return self.options(parent, subject)

    def _refuse(self, args: pulumi.ResourceHookArgs) -> None:
        if self._protect and not self._acknowledged(RULE, args.name) and not self._rotated(args):
            raise RuntimeError(str(DATA_DELETE.found(name=args.name)))

    def _rotated(self, args: pulumi.ResourceHookArgs) -> bool:
        """Whether it is a Secret of before, in whose place one of other content stands."""
        present = self._contents.get(args.name)
        return (
            args.name in self._replaceable and present is not None and args.id.rpartition("/")[2] != present
        )
