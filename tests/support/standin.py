"""The lab's web application without its container: the same commands, on a MariaDB of the test."""

from __future__ import annotations

import importlib
import io
import json
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from ops.artisan import MARK
from tests.support.mariadb import Mariadb

_SOURCE = Path(__file__).parent.parent / "lab/images/recipes/webapp/rootfs/opt/app-root/src"


class _Cursor:
    """What the stand-in uses of pymysql, by the client of the command line."""

    def __init__(self, server: Mariadb) -> None:
        self._server = server
        self._rows: list[tuple[Any, ...]] = []

    def __enter__(self) -> _Cursor:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def execute(self, sql: str, values: Sequence[object] = ()) -> None:
        """Puts values into the statement, as pymysql does."""
        try:
            lines = self._server.ask(f"USE app; {sql % tuple(map(_literal, values)) if values else sql}")
        except subprocess.CalledProcessError as error:
            raise _Error(1, error.stderr.strip()) from None
        self._rows = [tuple(map(_value, line.split("\t"))) for line in lines]

    def fetchall(self) -> list[tuple[Any, ...]]:
        """The rows."""
        return self._rows


class _Error(Exception):
    pass


def _literal(value: object) -> str:
    if value is None:
        return "NULL"
    if isinstance(value, int):
        return str(int(value))
    text = str(value).replace("\\", "\\\\").replace("'", "\\'")
    return f"'{text}'"


def _value(text: str) -> object:
    return None if text == "NULL" else int(text) if text.isdigit() else text


@contextmanager
def application(server: Mariadb, monkeypatch: pytest.MonkeyPatch) -> Iterator[Application]:
    """The stand-in with its tables and its administrator."""

    class Connection:
        def cursor(self) -> _Cursor:
            return _Cursor(server)

        def close(self) -> None:
            pass

    library = ModuleType("pymysql")
    library.err = type("err", (), {"Error": _Error})  # type: ignore[attr-defined]
    library.connect = lambda **_: Connection()  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "pymysql", library)
    monkeypatch.syspath_prepend(str(_SOURCE))
    for name in ("DB_HOST", "DB_USERNAME", "DB_PASSWORD", "DB_DATABASE"):
        monkeypatch.setenv(name, "unused")
    monkeypatch.setenv("APP_DOMAIN", "example.org")
    server.ask("DROP DATABASE IF EXISTS app; CREATE DATABASE app")
    try:
        made = Application(importlib.import_module("standin.commands"))
        monkeypatch.setattr(made.module.jobs_queue, "push", made.push)
        assert made.typed("migrate", "--seed", "--force") == (0, made.said)
        yield made
    finally:
        for name in [name for name in sys.modules if name.split(".")[0] == "standin"]:
            del sys.modules[name]


class Application:
    """Runs commands, and remembers the jobs that they leave for Horizon."""

    def __init__(self, module: Any) -> None:
        self.module = module
        self.jobs: list[tuple[str, str]] = []
        self.said = ""

    def push(self, job: str, *, email: str) -> None:
        """Horizon's place: what it would do is done at once."""
        self.jobs.append((job, email))
        if job == "create-mailbox":
            self.module.accounts.set_status(email, add=self.module.accounts.IMAP_READY)

    def typed(self, *words: str) -> tuple[int, str]:
        """A command line."""
        out = io.StringIO()
        with redirect_stdout(out), redirect_stderr(out):
            code = self.module.main(list(words))
        self.said = out.getvalue()
        return code, self.said

    def called(self, arguments: tuple[str, ...], text: str | None) -> str:
        """What kubectl exec of the PHP program prints."""
        assert arguments[0] == "exec", arguments
        assert "php" in arguments, arguments
        parts = []
        for each in json.loads(text or "[]"):
            before, sys.stdin = sys.stdin, io.StringIO(json.dumps(each))
            try:
                code, said = self.typed("--called")
            finally:
                sys.stdin = before
            parts.append(f"{MARK}{json.dumps([code, said])}\n")
        return "".join(parts)
