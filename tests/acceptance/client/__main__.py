"""`python -m tests.acceptance.client COMMAND ARGUMENT...`, in the network of whoever asks."""

from __future__ import annotations

import sys
from importlib import import_module

# Modules are loaded when they are asked for: most commands need nothing but the standard library.
_MODULES = (
    "mail",
    "web",
    "probe",
    "turn",
    "dav",
    "relay",
    "send",
    "names",
    "find",
    "outage",
    "journey",
    "load",
    "store",
    "shown",
    "patience",
)

if __name__ == "__main__":
    name, *arguments = sys.argv[1:]
    for module in _MODULES:
        command = getattr(import_module(f"tests.acceptance.client.{module}"), name, None)
        if command is not None:
            print(command(*arguments))
            break
    else:
        sys.exit(f"there is no command {name}")
