"""Connections to a MariaDB that is slow, while all of Postfix, Amavis and the webmail's PHP have something to ask: the pods of
each size as our program renders them, with their real daemons, and what the budget says of them (model/budget.py)."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path

import pytest

from model import budget, images
from model.settings import Settings
from model.sizing import PROFILES
from tests.lab.images import build, pods
from tests.lab.images.container import ADDRESS, Machine, machine
from tests.lab.images.contract import B_TAG
from tests.support.mariadb import locked
from tests.support.stacks import changed

pytestmark = [
    pytest.mark.acceptance,
    # A minute and a half for each size.
    pytest.mark.long,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]

_IMAGES = ("redis-b", "webapp-b", "postfix-b", "amavis-b", "unbound", "postfix-exporter", "roundcube-b")
_ORDER = ("mariadb", "redis", "seed", "roundcube-migrate", "postfix", "roundcube")
_RECIPIENT = "admin@example.org"
_HELD = 4.0
"""Seconds that every answer of the database waits, again and again. Less than the ten after which Postfix' entry script
takes it for one that has started anew."""
_TRIES = 3
"""On a busy machine the server gives up a client whose greeting takes over ten seconds (connect_timeout)."""
_STEADY = 3
"""Times that no more connections were opened, after which there will be no more."""


class Database:
    """MariaDB, asked by its root, who gets in when nobody else does."""

    def __init__(self, place: Machine, password: str) -> None:
        self._line = [
            "nsenter",
            f"--net=/run/netns/{place.network}",
            "mariadb",
            "--no-defaults",
            f"-h{ADDRESS}",
            "-uroot",
        ]
        self._line += [f"-p{password}", "--unbuffered", "-N", "-B"]  # fmt: skip

    def ask(self, statement: str) -> list[str]:
        for _ in range(_TRIES):
            done = subprocess.run([*self._line, "-e", statement], capture_output=True, text=True, check=False)
            if done.returncode == 0:
                return done.stdout.splitlines()
        raise AssertionError(done.stderr)

    def connections(self) -> dict[str, int]:
        """User -> how many he has."""
        rows = self.ask("SELECT user, COUNT(*) FROM information_schema.processlist GROUP BY user")
        return {user: int(number) for user, number in (row.split("\t") for row in rows)}

    def slow(self) -> AbstractContextManager[None]:
        """Nobody gets an answer out of a table before this ends."""
        tables = self.ask(
            "SELECT CONCAT('`', table_schema, '`.`', table_name, '`') FROM information_schema.tables"
            " WHERE table_schema IN ('kolabdev', 'roundcube')"
        )
        return locked(self._line, tables)


def _settings(size: str) -> Settings:
    return changed("single-node", {"size": size, "images": {"tag": B_TAG}})


@contextmanager
def _running(size: str) -> Iterator[tuple[Machine, Database]]:
    values = pods.some_secrets()
    settings = _settings(size)
    found = pods.workloads(pods.rendered(settings, values))
    build.tars([images.database(settings), *_IMAGES])
    with machine() as place, ExitStack() as held:
        network = f"--net=/run/netns/{place.network}"
        program = (sys.executable, "-m", "tests.lab.images.resolver", "203.0.113.9", "nobody.example.org=-")
        resolver = held.enter_context(subprocess.Popen(["nsenter", network, *program]))
        held.callback(resolver.kill)
        for name in _ORDER:
            pod = pods.Pod(place, found[name])
            if name in ("seed", "roundcube-migrate"):
                for container in pod.containers.values():
                    assert container.exited(180) == 0, container.output
            else:
                pod.wait_ready()
        yield place, Database(place, values["databaseRootPassword"])


@contextmanager
def _crowd(place: Machine, enough: Path) -> Iterator[None]:
    network = f"--net=/run/netns/{place.network}"
    program = (sys.executable, "-m", "tests.lab.images.crowd", _RECIPIENT, str(enough))
    with subprocess.Popen(["nsenter", network, *program]) as crowd:
        try:
            yield
        finally:
            enough.touch()
            crowd.wait(120)


def _most(database: Database) -> dict[str, int]:
    """User -> the most connections that he was seen to have."""
    most: dict[str, int] = {}
    steady = 0
    while steady < _STEADY:
        before = dict(most)
        with database.slow():
            until = time.monotonic() + _HELD
            while time.monotonic() < until:
                for user, number in database.connections().items():
                    most[user] = max(number, most.get(user, 0))
                time.sleep(0.2)
        # Letters go on their way, and Amavis' processes ask.
        time.sleep(1)
        steady = 0 if most != before else steady + 1
    return most


@pytest.mark.parametrize("size", PROFILES)
def test_each_daemon_opens_what_the_budget_says_within_a_fifth(size: str, tmp_path: Path) -> None:
    said = {use.who: use.number for use in budget.database_uses(_settings(size))}
    with _running(size) as (place, database), _crowd(place, tmp_path / "enough"):
        most = _most(database)
        (taken,) = database.ask("SELECT @@max_connections")
        (refused,) = database.ask("SHOW GLOBAL STATUS LIKE 'Connection_errors_max_connections'")
    for user, who in (("kolabdev", "postfix"), ("roundcube", "roundcube")):
        assert said[who] / 1.2 <= most[user] <= said[who], (who, most, said)
    assert refused.split()[-1] == "0"
    assert int(taken) == budget.database_connections(_settings(size))
