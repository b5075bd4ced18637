"""Shipped stack files, with secrets that are recognised."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from model.keys import pairs
from model.secrets import secrets
from model.settings import Settings
from tests.engine.program import CHECKOUT, Program, put
from tests.engine.sentinels import sentinel


def example(name: str) -> dict[str, Any]:
    """The configuration in stacks/<name>.yaml, without the `kolab:` prefixes."""
    config = yaml.safe_load((CHECKOUT / "stacks" / f"{name}.yaml").read_text())["config"]
    return {key.removeprefix("kolab:"): value for key, value in config.items()}


def configured(root: Path, stack: str, config: dict[str, Any]) -> tuple[Program, dict[str, str]]:
    """A program with one stack that has all its secrets, and these. Public halves in `config` follow them."""
    for key in config["mail"]["dkim"]["selectors"].values():
        key.setdefault("publicKey", "AAAA")
    settings = Settings.model_validate(config)
    values = {secret.key: sentinel(secret) for secret in secrets(settings)}
    for pair in pairs(settings):
        if pair.secret in values:
            put(config, pair.path.split("."), pair.derive(values[pair.secret]))
    return Program.make(root, stack, config, values), values
