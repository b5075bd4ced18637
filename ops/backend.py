"""Where the state of a stack lives, and what its secrets are encrypted with: what the engine says of it, in plain words."""

from __future__ import annotations

import json
import os
from collections.abc import Mapping
from pathlib import Path

_PAGE = "docs/how-to/choose-a-state-backend.md"
NO_BACKEND = (
    "no state backend is chosen, and without one Pulumi cannot remember what it made. Fix: ./kolab pulumi login"
    f" file://~ keeps it on this machine, s3://<bucket> in a bucket that a team shares ({_PAGE})"
)


def current(variables: Mapping[str, str] = os.environ) -> str | None:
    """URL of the backend that pulumi would use; None when nobody has chosen one."""
    named = variables.get("PULUMI_BACKEND_URL")
    if named:
        return named
    home = Path(variables.get("PULUMI_CREDENTIALS_PATH") or "~/.pulumi").expanduser()
    try:
        chosen = json.loads((home / "credentials.json").read_text()).get("current")
    except (OSError, ValueError, AttributeError):
        chosen = None
    return chosen or ("https://api.pulumi.com" if variables.get("PULUMI_ACCESS_TOKEN") else None)


def no_passphrase(stack: str) -> str:
    """The sentence for a passphrase that is not given."""
    return (
        f"the secrets of stack {stack} are encrypted with a passphrase, and none is given. Fix: export"
        f" PULUMI_CONFIG_PASSPHRASE_FILE=<file that only you can read> ({_PAGE})"
    )


def explained(said: str, stack: str) -> str | None:
    """What the engine means, in a sentence with a way out; None when it speaks for itself."""
    text = said.lower()
    if "pulumi_access_token" in text or "not logged in" in text or "no credentials" in text:
        return NO_BACKEND
    if "incorrect passphrase" in text:
        return (
            f"the passphrase is not the one that encrypted the secrets of stack {stack}. Fix: give that one; it cannot be"
            " recovered, and without it every secret is lost"
        )
    if "passphrase must be set" in text or "pulumi_config_passphrase" in text:
        return no_passphrase(stack)
    if "no stack named" in text:
        return (
            f"the state backend {current() or ''} knows no stack {stack}. Fix: ./kolab pulumi stack init {stack}, or"
            " log in to the backend that holds it: ./kolab pulumi login <url>"
        )
    return None
