"""Deletion of data."""

from __future__ import annotations

from model.findings import Rule

DATA_DELETE = Rule(
    "data-delete",
    path="{name}",
    problem="would be deleted or replaced: what it holds is lost for good",
    fix=(
        "keep what made it in the stack file, or, after a backup, add to kolab:acknowledge"
        " {{rule: data-delete, subject: {name}, reason: <why>}} and run `make up` once before you remove it"
    ),
    why="Nothing that holds mail is deleted or replaced by accident, whatever the command.",
)
