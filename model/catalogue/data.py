"""Deletion of data, and where they move."""

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
FILES_STAGE_SKIPPED = Rule(
    "files-stage-skipped",
    path="kolab:files.engine",
    problem="goes from {first} to {second}: people would not find files that nothing has copied yet",
    fix="the next step is {next} (docs/how-to/move-files.md)",
    why="Files are led to another server when all of them are there, each compared, and nothing that people wrote meanwhile is"
    " left behind.",
)
FILES_BACK = FILES_STAGE_SKIPPED.but(
    problem="goes back from {first} to {second}: what people have stored since Versity Gateway serves is there alone",
    fix="put {first} back; or acknowledge it, where nothing was stored since",
)
