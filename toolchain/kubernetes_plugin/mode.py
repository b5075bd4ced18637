"""What both modes share with the server: a call's circumstances, and how it may fail."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from .wire import Object


class Failure(Exception):
    """What a call answers instead of a result.

    With `live`, the object exists but is not what it should be: the engine keeps it, and tries again next time.
    """

    def __init__(
        self,
        message: str,
        *,
        live: Object | None = None,
        reasons: list[str] | None = None,
        inputs: Object | None = None,
    ) -> None:
        super().__init__(message)
        self.live = live
        self.reasons = [message, *(reason for reason in reasons or [] if reason)]
        self.inputs = inputs


class Log(Protocol):
    """The engine's log, for one resource."""

    def status(self, text: str) -> None:
        """A line beside the resource while it is worked on; an empty one clears it."""

    def warning(self, text: str) -> None:
        """A lasting diagnostic."""


@dataclass(frozen=True)
class Call:
    """The circumstances of one call: whom it is about, how long it may take (0: as usual), where to tell."""

    urn: str
    timeout: float
    log: Log


class Mode(Protocol):
    """What happens to objects: they are rendered, or applied to a cluster. Live objects come back plain."""

    def preview(self, inputs: Object, state: Object | None, manager: str, call: Call) -> Object | None:
        """What the object would become; None when only the inputs are known."""

    def create(self, inputs: Object, manager: str, call: Call) -> Object:
        """The live object."""

    def update(self, inputs: Object, state: Object, manager: str, call: Call) -> Object:
        """The live object."""

    def read(self, id: str, state: Object, call: Call) -> tuple[Object, Object] | None:
        """The live object and the inputs it amounts to; None when it is gone."""

    def delete(self, state: Object, call: Call) -> None:
        """Answers when it is gone."""

    def cancel(self) -> None:
        """End every wait."""
