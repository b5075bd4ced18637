"""Where people's files go, in words."""

from __future__ import annotations

from collections.abc import Iterator

from model.review.item import Item
from model.settings import Settings

_SAID = {
    "minio-to-versitygw": (
        "Versity Gateway starts beside MinIO, which serves on; all files are copied into it, each is compared, and the update"
        " ends well when none is missing"
    ),
    "versitygw-from-minio": (
        "when every file is in Versity Gateway, the web application restarts with it; MinIO stands by, and what is still"
        " written to it comes over"
    ),
    "versitygw": "MinIO ends, and its volume with all that it held goes; people's files are in Versity Gateway",
    "minio": "the copy in Versity Gateway is given up, and its volume goes; people's files are in MinIO",
}


def files_changes(before: Settings, after: Settings) -> Iterator[Item]:
    """What another kolab:files.engine does, where files were kept by a server of the stack and go on to be."""
    old, new = before.files.engine, after.files.engine
    if old != new and before.own_files and after.own_files:
        yield Item(f"files, {old} to {new}: {_SAID[new]}", "safe" if new == "minio-to-versitygw" else "care")
