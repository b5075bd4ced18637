"""What a password of a person must be like."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from model.settings.base import Section

LONGEST = 255
"""As upstream has it, so that an owner's own policy stays below."""


class Passwords(Section):
    """What a password that somebody sets must be like. Those that are there stay; owners may ask for more in the web interface, never for less."""

    least: Annotated[int, Field(ge=6, le=64)] = 10
    """Fewest characters. A mail program shows no second factor, so a password alone stands before the mail: 6, which upstream has, can be guessed."""
    kinds: tuple[Literal["lower", "upper", "digit"], ...] = ()
    """Kinds of characters that each must hold. Length does more, and people who are forced to mix write Password1 (NIST SP 800-63B)."""
    remembered: Annotated[int, Field(ge=0, le=24)] = 0
    """How many of the last passwords, the present one among them, may not come back."""

    @property
    def policy(self) -> str:
        """As the web application reads it (upstream: src/app/Policy/Password.php)."""
        last = [f"last:{self.remembered}"] if self.remembered else []
        return ",".join([f"min:{self.least}", f"max:{LONGEST}", *dict.fromkeys(self.kinds), *last])
