"""The parts of pulumi_cloudflare that the stack uses, without the other thousand.

Importing the package runs every module of it, which costs more CPU than the rest of the program. Its submodules
import fine from a package object that has run nothing, and of the two modules with the types of all resources, of
twelve megabytes, the classes of a record are all that is run.
"""

from __future__ import annotations

import importlib
import importlib.util
import re
import sys
import types
from pathlib import Path
from typing import Any

_PACKAGE = "pulumi_cloudflare"
_CLASS = re.compile(
    r"^(?:@pulumi\.\w+\n)?class DnsRecord(?:Data|Settings)\w*\(?.*\n(?:(?:[ \t].*)?\n)*", re.M
)


def _package() -> Any:
    if _PACKAGE not in sys.modules:
        spec = importlib.util.find_spec(_PACKAGE)
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError(f"{_PACKAGE} is not installed; see requirements.txt")
        bare = types.ModuleType(_PACKAGE)
        bare.__path__ = list(spec.submodule_search_locations)
        bare.__spec__ = spec
        sys.modules[_PACKAGE] = bare
    return sys.modules[_PACKAGE]


def _module(name: str) -> Any:
    return importlib.import_module(f"{_package().__name__}.{name}")


def _types(name: str) -> Any:
    """A module of nothing but types, with those of a record. One that looks different is imported as a whole."""
    full = f"{_PACKAGE}.{name}"
    file = Path(_package().__path__[0], f"{name}.py")
    text = file.read_text() if full not in sys.modules and file.exists() else ""
    start, classes = text.partition("\n__all__ = ")[0], _CLASS.findall(text)
    if not classes:
        return _module(name)
    made = types.ModuleType(full)
    made.__package__, made.__file__ = _PACKAGE, str(file)
    sys.modules[full] = made
    setattr(_package(), name, made)
    exec(compile("\n".join([start, *classes]), str(file), "exec", dont_inherit=True), made.__dict__)  # noqa: S102 (as an import does)
    return made


_types("outputs")
DnsRecordDataArgs: Any = _types("_inputs").DnsRecordDataArgs
DnsRecord: Any = _module("dns_record").DnsRecord
Provider: Any = _module("provider").Provider
