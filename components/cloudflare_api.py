"""The parts of pulumi_cloudflare that the stack uses, without the other thousand.

Importing the package runs every module of it, which costs more CPU than the rest of the program. Its submodules
import fine from a package object that has run nothing.
"""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from typing import Any


def _module(name: str) -> Any:
    package = "pulumi_cloudflare"
    if package not in sys.modules:
        spec = importlib.util.find_spec(package)
        if spec is None or spec.submodule_search_locations is None:
            raise ImportError(f"{package} is not installed; see requirements.txt")
        bare = types.ModuleType(package)
        bare.__path__ = list(spec.submodule_search_locations)
        bare.__spec__ = spec
        sys.modules[package] = bare
    return importlib.import_module(f"{package}.{name}")


DnsRecord: Any = _module("dns_record").DnsRecord
DnsRecordDataArgs: Any = _module("_inputs").DnsRecordDataArgs
Provider: Any = _module("provider").Provider
