"""Redis, in the few words that the job queue needs, and the jobs themselves."""

from __future__ import annotations

import json
import os
import socket
from typing import Any

_QUEUE = "queues:default"
_MASTER = "horizon:master"


class Redis:
    """One connection."""

    def __init__(self) -> None:
        address = (os.environ.get("REDIS_HOST", ""), int(os.environ.get("REDIS_PORT") or 6379))
        self._socket = socket.create_connection(address, timeout=30)
        self._stream = self._socket.makefile("rb")
        if password := os.environ.get("REDIS_PASSWORD"):
            self.call("AUTH", password)

    def __enter__(self) -> Redis:
        return self

    def __exit__(self, *_: object) -> None:
        self._socket.close()

    def call(self, *words: str) -> Any:
        """The answer to one command. Raises OSError with Redis' own words when it refuses."""
        encoded = [word.encode() for word in words]
        packet = b"*%d\r\n" % len(encoded) + b"".join(b"$%d\r\n%s\r\n" % (len(w), w) for w in encoded)
        self._socket.sendall(packet)
        return self._answer()

    def _answer(self) -> Any:
        line = self._stream.readline()
        if not line:
            raise OSError("Redis closed the connection")
        kind, rest = line[:1], line[1:-2]
        if kind == b"-":
            raise OSError(rest.decode())
        if kind == b"+":
            return rest.decode()
        if kind == b":":
            return int(rest)
        if int(rest) < 0:
            return None
        if kind == b"$":
            return self._stream.read(int(rest) + 2)[:-2].decode()
        return [self._answer() for _ in range(int(rest))]


def push(job: str, **data: object) -> None:
    """Add a job."""
    with Redis() as redis:
        redis.call("RPUSH", _QUEUE, json.dumps({"job": job, "attempts": 0, **data}))


def push_again(job: dict[str, Any]) -> None:
    """Put a failed job back."""
    with Redis() as redis:
        redis.call("RPUSH", _QUEUE, json.dumps(job | {"attempts": job["attempts"] + 1}))


def pop(seconds: int) -> dict[str, Any] | None:
    """The next job, or None after `seconds`."""
    with Redis() as redis:
        found = redis.call("BLPOP", _QUEUE, str(seconds))
    return json.loads(found[1]) if found else None


def waiting() -> int:
    """How many jobs wait."""
    with Redis() as redis:
        return int(redis.call("LLEN", _QUEUE))


def beat() -> None:
    """Say that a master runs; forgotten after a while."""
    with Redis() as redis:
        redis.call("SET", _MASTER, "running", "EX", "30")


def running() -> bool:
    """Whether a master said so lately."""
    with Redis() as redis:
        return redis.call("GET", _MASTER) == "running"
