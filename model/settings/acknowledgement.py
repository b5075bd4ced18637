"""Deliberate exceptions."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from model.settings.base import Section
from model.texts import Reason, RuleId, Subject


class Acknowledgement(Section):
    """A deliberate exception from one rule, with the reason that a reviewer reads."""

    rule: RuleId
    """Id of the rule, as printed in its finding."""
    subject: Subject = "*"
    """Resource or key the exception is for; * for all."""
    reason: Annotated[Reason, Field(min_length=10)]
    """Why this is right here."""
