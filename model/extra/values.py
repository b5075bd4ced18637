"""Values of a configuration that can do no harm."""

from __future__ import annotations

import re
from dataclasses import dataclass

_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400, "w": 604800}
# C's numbers end soon after nine digits.
_NUMBER, _TIME = "0|-?[1-9][0-9]{0,8}", "(0|[1-9][0-9]{0,8})([smhdw]?)"


@dataclass(frozen=True)
class Number:
    """Whole numbers from `least` to `most`, without a unit."""

    least: int
    most: int

    def takes(self, value: str) -> bool:
        """Whether it is one of them."""
        return re.fullmatch(_NUMBER, value) is not None and self.least <= int(value) <= self.most


@dataclass(frozen=True)
class Time:
    """Times from `least` to `most`, such as 90s, 5m, 4h, 3d and 2w, in those `units` that the daemon knows. `bare` is the
    unit of a number without one."""

    least: str
    most: str
    bare: str = "s"
    units: str = "smhdw"

    def takes(self, value: str) -> bool:
        """Whether it is one of them."""
        if re.fullmatch(_TIME, value) is None or value[-1] not in f"0123456789{self.units}":
            return False
        return self._seconds(self.least) <= self._seconds(value) <= self._seconds(self.most)

    def _seconds(self, value: str) -> int:
        number, unit = re.findall(_TIME, value)[0]
        return int(number) * _SECONDS[unit or self.bare]


Value = str | Number | Time
"""A pattern that is matched in full, or one of the others."""


def takes(kinds: Value | tuple[Value, ...], value: str) -> bool:
    """Whether a value is of one of these kinds."""
    if isinstance(kinds, tuple):
        return any(takes(kind, value) for kind in kinds)
    return re.fullmatch(kinds, value) is not None if isinstance(kinds, str) else kinds.takes(value)
