"""What goes wrong, in sentences."""

from __future__ import annotations


class LabError(Exception):
    """The lab cannot do what was asked; the text says why and what helps."""
