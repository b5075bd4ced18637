"""Texts that PyYAML writes and reads without quotes, and other readers of YAML, such as Go's, take for something else.

A hash like 12345e6789 must not become a number on its way, nor a name like `n` a truth value.
"""

from __future__ import annotations

import re

import yaml

_NUMBER = re.compile(r"[-+]?(\.\d+|\d+(\.\d*)?)([eE][-+]?\d+)?|[-+]?0[bo]?[0-7_]+|0x[\da-fA-F_]+", re.ASCII)


def is_number(text: str) -> bool:
    """Whether YAML 1.2 or Go's reader takes it for a number (YAML 1.2 section 10.3.2)."""
    return _NUMBER.fullmatch(text) is not None


class Dumper(yaml.SafeDumper):
    """YAML without anchors, in which every text is a text to every reader, and one of several lines a block."""

    def ignore_aliases(self, data: object) -> bool:
        """Equal values are written twice: a reviewer should not have to look up an anchor."""
        return True


def _text(dumper: yaml.SafeDumper, value: str) -> yaml.Node:
    style = None
    if is_number(value) or value in ("y", "Y", "n", "N"):
        style = "'"
    elif "\n" in value:
        style = "|"
    return dumper.represent_scalar("tag:yaml.org,2002:str", value, style=style)


Dumper.add_representer(str, _text)
