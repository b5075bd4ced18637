"""Postfix policy service (SMTPD_POLICY_README) that asks a hook of the web application, one request a run.

Without an answer mail is deferred, never lost and never let through: action DEFER_IF_PERMIT.
"""

from __future__ import annotations

import json
import sys
import urllib.error
import urllib.request
from urllib.parse import urlencode

_DEFER = "DEFER_IF_PERMIT Temporary error, try again later."


def read() -> dict[str, str]:
    """One request: name=value lines up to an empty one."""
    request: dict[str, str] = {}
    for line in sys.stdin:
        if not line.strip():
            if request:
                break
            continue
        key, _, value = line.rstrip("\n").partition("=")
        request[key] = value
    return request


def fields(name: str, request: dict[str, str]) -> dict[str, str] | None:
    """What the hook wants to know; None when it is not asked yet.

    The submission hook wants sender, recipients and user, and so only when DATA has come.
    """
    if name != "submission":
        return request
    user = request.get("sasl_sender") or request.get("sasl_username")
    if request.get("protocol_state", "").lower() != "data" or not request.get("sender") or not user:
        return None
    return {"sender": request["sender"], "recipients": request.get("recipient", ""), "user": user}


def ask(url: str, data: dict[str, str]) -> list[str]:
    """Actions, in order: prepended headers first, then the verdict."""
    try:
        with urllib.request.urlopen(url, urlencode(data).encode(), timeout=30) as response:
            body = response.read()
    except urllib.error.HTTPError as refusal:
        body = refusal.read()
    except OSError:
        return [_DEFER]
    try:
        answer = json.loads(body)
        verdict = " ".join(filter(None, (answer["response"], answer.get("reason"))))
    except (ValueError, KeyError, TypeError):
        return [_DEFER]
    return [*(f"PREPEND {header}" for header in answer.get("prepend", [])), verdict]


def main(base: str, name: str, path: str) -> None:
    """Answer one request."""
    request = read()
    if not request:
        return
    data = fields(name, request)
    actions = ["DUNNO"] if data is None else ask(f"{base}{path}", data)
    sys.stdout.write("".join(f"action={action}\n" for action in actions) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:4])
