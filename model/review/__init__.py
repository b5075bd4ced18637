"""What a change means, in the terms of people who run mail: for pull requests, from two stack files and what changes between them.

Pure: the engine's preview or two renders become `Change`s elsewhere (ops/reporting), and texts become pages there.
"""

from __future__ import annotations

from model.review.change import Action, Change
from model.review.picture import Picture, whole
from model.review.review import Item, Level, Review, Section, review

__all__ = ["Action", "Change", "Item", "Level", "Picture", "Review", "Section", "review", "whole"]
