"""Configuration files as YAML: keys in the order they were written, programs as readable blocks."""

from __future__ import annotations

from typing import Any

import yaml

from model.yaml_text import Dumper


def to_yaml(document: dict[str, Any]) -> str:
    """`document` as YAML, the same bytes for the same value."""
    return str(yaml.dump(document, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=1000))
