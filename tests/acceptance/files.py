"""The server of people's files, asked from the web application's pod: nobody else reaches it."""

from __future__ import annotations

import hashlib
import json
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from model import topology
from model.accounts import FILES_BUCKET, FILES_USER, GATEWAY_USER
from tests.acceptance.stack import Stack
from tests.engine.program import CHECKOUT
from tests.support.s3 import content

Step = tuple[str, str, str | int]
"""Method, key below the bucket, body (tests.support.s3)."""

USERS = {topology.VERSITYGW: (GATEWAY_USER, "filesPassword"), topology.MINIO: (FILES_USER, "minioPassword")}


@dataclass(frozen=True)
class Answer:
    """What came of a step."""

    status: int
    code: str
    length: int
    sha256: str


def ask(
    stack: Stack,
    steps: Sequence[Step],
    *,
    server: topology.Daemon = topology.VERSITYGW,
    access: str | None = None,
    secret: str | None = None,
    query: Mapping[str, str] | None = None,
    where: str = "webapp",
) -> list[Answer]:
    """Each step in turn, by the server's own user unless another is named; "" signs nothing. `where` is the daemon in whose
    network that is asked."""
    user, key = USERS[server]
    host = stack.get("service", server.name)["spec"]["clusterIP"]
    wanted = [(method, f"{FILES_BUCKET}/{path}", body, query or {}) for method, path, body in steps]
    who = [user if access is None else access, _value(stack, key) if secret is None else secret]
    line = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "tests.support.s3"]
    line += [host, str(server.port("s3").number), *who, json.dumps(wanted)]
    answers: list[dict[str, Any]] = json.loads(stack.in_pod(stack.pod(where), line))
    return [Answer(**each) for each in answers]


def lets_in(stack: Stack, secret: str) -> bool:
    """Whether the server's user is let in with this password."""
    (answer,) = ask(stack, [("GET", "", "")], secret=secret, query={"list-type": "2"})
    assert answer.status in (200, 403), answer
    return answer.status == 200


def sha256(path: str, size: int) -> str:
    """Of what a step of this size puts there."""
    return hashlib.sha256(content(f"{FILES_BUCKET}/{path}", size)).hexdigest()


def _value(stack: Stack, key: str) -> str:
    line = ("config", "get", f"kolab:{key}", "--stack", stack.program.stack)
    return str(stack.program.must(*line)).strip()
