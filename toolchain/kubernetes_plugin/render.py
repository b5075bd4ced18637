"""Render mode: one YAML file per object, named and written as the genuine plugin does."""

from __future__ import annotations

import contextlib
import os
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import yaml

from .mode import Call, Failure
from .wire import Object, has_secret, plain


class RenderMode:
    """Objects become files; their state is what was written."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def preview(self, inputs: Object, state: Object | None, manager: str, call: Call) -> Object | None:
        """Nobody fills in defaults here."""
        return None

    def create(self, inputs: Object, manager: str, call: Call) -> Object:
        """Write the file."""
        obj: Object = plain(inputs)
        if not (obj.get("metadata") or {}).get("name"):
            raise Failure("the object has no `.metadata.name`, so there is no name for its file")
        path = write(self._folder, obj)
        if has_secret(inputs):
            call.log.warning(f"rendered file {path} contains a secret value in plaintext")
        call.log.status(f"rendered {path}")
        return obj

    def update(self, inputs: Object, state: Object, manager: str, call: Call) -> Object:
        """Write the file anew."""
        return self.create(inputs, manager, call)

    def read(self, id: str, state: Object, call: Call) -> tuple[Object, Object] | None:
        """`pulumi refresh` asks for the truth, and there is none: it fails, as with the genuine plugin."""
        call.log.warning(
            "configured Kubernetes cluster is unreachable: unable to load Kubernetes client configuration from "
            "kubeconfig file. Make sure you have: \n\n the genuine kubernetes plugin; the stand-in renders files only"
        )
        raise Failure(
            "failed to read resource state due to unreachable cluster. If the cluster was deleted, you can remove "
            "this resource from Pulumi state by rerunning the operation with the PULUMI_K8S_DELETE_UNREACHABLE "
            'environment variable set to "true"'
        )

    def delete(self, state: Object, call: Call) -> None:
        """Remove the file, if it is there."""
        path = self._folder / file_name(plain(state))
        with contextlib.suppress(NotADirectoryError):
            path.unlink(missing_ok=True)
        call.log.status(f"deleted {path}")

    def cancel(self) -> None:
        """Nothing here takes long."""


def file_name(obj: Object) -> str:
    """Where an object's file lies below the folder. CRDs come first when the folder is applied by name."""
    api_version, kind = str(obj.get("apiVersion", "")), str(obj.get("kind", ""))
    metadata = obj.get("metadata") or {}
    folder = "0-crd" if kind == "CustomResourceDefinition" else "1-manifest"
    version = api_version.replace("/", "_")
    return (
        f"{folder}/{version}-{kind.lower()}-{metadata.get('namespace') or 'default'}-{metadata['name']}.yaml"
    )


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
        raise Failure(f'failed to write YAML file: "{path}": open {path}: {reason}') from None
    return path


def to_yaml(obj: Object) -> str:
    """YAML as Go's encoder writes it: sorted keys, unindented lists, literal blocks, 1.1 booleans quoted."""
    return yaml.dump(obj, Dumper=_Dumper, default_flow_style=False, allow_unicode=True, width=1 << 30)


class _Dumper(yaml.SafeDumper):
    """PyYAML descends from the same emitter as Go's; only the choice of quotes differs."""

    def ignore_aliases(self, data: Any) -> bool:
        return True


# Go takes these for numbers, PyYAML for text: a hash like 12345e6789 must not become infinity on the way.
_GO_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|[-+]?0[bo]?[0-7_]+|0x[\da-fA-F_]+")
_RESOLVE: Callable[..., str] = yaml.SafeLoader("").resolve
_LINE_BREAKS_OF_UNICODE = re.compile("[\x85\u2028\u2029\ufeff]")


def _string(dumper: _Dumper, text: str) -> yaml.ScalarNode:
    style = None
    if _LINE_BREAKS_OF_UNICODE.search(text) or _resolves_to_something_else(text):
        style = '"'
    elif "\n" in text:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", text, style=style)


def _resolves_to_something_else(text: str) -> bool:
    # PyYAML knows yes/no/on/off as booleans, Go's decoder also y/n.
    if text in {"y", "Y", "n", "N"} or _GO_NUMBER.fullmatch(text):
        return True
    return _RESOLVE(yaml.ScalarNode, text, (True, False)) != "tag:yaml.org,2002:str"


_Dumper.add_representer(str, _string)
