"""Render mode: one YAML file per object, named and written as the genuine plugin does."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import Any

import yaml

from .wire import Object


class RenderFailed(Exception):
    """The file could not be written; the text is what the genuine plugin says."""


def file_name(obj: Object) -> str:
    """Where an object's file lies below the folder. CRDs come first when the folder is applied by name."""
    api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    metadata = obj.get("metadata") or {}
    folder = "0-crd" if kind == "CustomResourceDefinition" else "1-manifest"
    version = api_version.replace("/", "_")
    return f"{folder}/{version}-{kind.lower()}-{metadata.get('namespace') or 'default'}-{metadata['name']}.yaml"


def write(folder: Path, obj: Object) -> Path:
    """Write an object's file and answer its path. Secrets lie in it in plain text: owner only."""
    path = folder / file_name(obj)
    try:
        with contextlib.suppress(FileExistsError, NotADirectoryError):  # opening the file says what is wrong
            for directory in [*reversed(folder.parents), folder, path.parent]:
                directory.mkdir(mode=0o700, exist_ok=True)
        with open(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:
            file.write(to_yaml(obj))
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise RenderFailed(f'failed to write YAML file: "{path}": open {path}: {reason}') from None
    return path


def delete(folder: Path, obj: Object) -> Path:
    """Remove an object's file, if it is there."""
    path = folder / file_name(obj)
    with contextlib.suppress(NotADirectoryError):
        path.unlink(missing_ok=True)
    return path


def to_yaml(obj: Object) -> str:
    """YAML as Go's encoder writes it: sorted keys, unindented lists, literal blocks, 1.1 booleans quoted."""
    return yaml.dump(obj, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=1 << 30)


class _Dumper(yaml.SafeDumper):
    """PyYAML descends from the same emitter as Go's; only the choice of quotes differs."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if "\n" in text:
        style = "|"
    elif _resolves_to_something_else(text):
        style = '"'
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _resolves_to_something_else(text: str) -> bool:
    # PyYAML knows yes/no/on/off as booleans, Go's decoder also y/n.
    if text in {"y", "Y", "n", "N"}:
        return True
    return str(yaml.SafeLoader("").resolve(yaml.ScalarNode, text, (True, False))) != "tag:yaml.org,2002:str"


_Dumper.add_representer(str, _string)
