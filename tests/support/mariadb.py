"""MariaDB, run for real on the loopback address, with the tables that Postfix and Amavis read."""

from __future__ import annotations

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.support.ports import free_port
from tests.support.sandbox import wait_for

_TABLES = """
CREATE DATABASE kolabdev; USE kolabdev;
CREATE TABLE users (id BIGINT PRIMARY KEY, email VARCHAR(191) UNIQUE, status INT);
CREATE TABLE user_aliases (user_id BIGINT, alias VARCHAR(191));
CREATE TABLE domains (id BIGINT PRIMARY KEY, namespace VARCHAR(191) UNIQUE, status INT);
CREATE TABLE policy_ratelimit_wl (id BIGINT AUTO_INCREMENT PRIMARY KEY, whitelistable_id BIGINT NOT NULL,
  whitelistable_type VARCHAR(191) NOT NULL, created_at TIMESTAMP NULL, updated_at TIMESTAMP NULL,
  UNIQUE (whitelistable_id, whitelistable_type));
CREATE TABLE `groups` (id BIGINT PRIMARY KEY, email VARCHAR(191) UNIQUE, status INT);
CREATE TABLE group_members (group_id BIGINT, email VARCHAR(191));
CREATE TABLE shared_folders (id BIGINT PRIMARY KEY, email VARCHAR(191) UNIQUE, type VARCHAR(8), status INT);
CREATE TABLE shared_folder_settings (shared_folder_id BIGINT, `key` VARCHAR(191), value TEXT);
CREATE TABLE shared_folder_aliases (shared_folder_id BIGINT, alias VARCHAR(191));
CREATE USER kolab@'127.0.0.1' IDENTIFIED BY 'secret'; GRANT ALL ON kolabdev.* TO kolab@'127.0.0.1';
INSERT INTO users VALUES (1, 'jane@example.org', 2), (2, 'joe@example.org', 2);
INSERT INTO user_aliases VALUES (1, 'doe@example.org');
INSERT INTO domains VALUES (1, 'example.org', 50), (2, 'example.net', 50), (3, 'example.edu', 50);
"""


@contextmanager
def locked(client: Sequence[str], tables: Iterable[str]) -> Iterator[None]:
    """Nobody gets an answer out of these tables before this ends. `client` is the command line of one who may lock them."""
    named = ", ".join(f"{table} WRITE" for table in tables)
    with subprocess.Popen(
        client, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1
    ) as holder:
        assert holder.stdin
        assert holder.stdout
        holder.stdin.write(f"LOCK TABLES {named}; SELECT 'held';\n")
        assert holder.stdout.readline() == "held\n"
        yield
        holder.stdin.close()


@dataclass
class Mariadb:
    """A server that runs."""

    root: Path
    port: int

    @property
    def login(self) -> Mapping[str, str]:
        """The image's placeholders, filled."""
        return {
            "DB_HOST": f"127.0.0.1:{self.port}",
            "DB_USERNAME": "kolab",
            "DB_PASSWORD": "secret",
            "DB_DATABASE": "kolabdev",
        }

    @property
    def client(self) -> list[str]:
        """The command line of a client that may do everything, and prints rows as they come."""
        line = ["mariadb", "--no-defaults", "-N", "-B", "--unbuffered", "-u", "root"]
        return [*line, f"--socket={self.root}/sock"]

    def ask(self, sql: str) -> list[str]:
        """Rows of an answer, columns separated by tabs."""
        done = subprocess.run([*self.client, "-e", sql], capture_output=True, text=True, check=True)
        return done.stdout.splitlines()

    def answers(self) -> bool:
        """Whether it is ready."""
        try:
            return self.ask("SELECT 1") == ["1"]
        except subprocess.CalledProcessError:
            return False

    def connections(self) -> int:
        """Of Kolab's user."""
        return int(self.ask("SELECT COUNT(*) FROM information_schema.processlist WHERE user = 'kolab'")[0])


@contextmanager
def mariadb(**options: str) -> Iterator[Mariadb]:
    """A server with `options` of its command line (underscores for hyphens)."""
    if not shutil.which("mariadbd", path="/usr/sbin:/usr/bin"):
        pytest.skip("MariaDB is not installed: tests/install-packages test")
    with tempfile.TemporaryDirectory(prefix="kolab-mariadb-") as folder:
        server = Mariadb(Path(folder), free_port())
        user = pwd.getpwuid(os.getuid()).pw_name
        data = f"--datadir={folder}/data"
        install = ["mariadb-install-db", "--no-defaults", data, f"--user={user}", "--skip-test-db"]
        subprocess.run(
            [*install, "--auth-root-authentication-method=normal"], check=True, capture_output=True
        )
        given = [f"--{name.replace('_', '-')}={value}" for name, value in options.items()]
        with (Path(folder) / "log").open("w") as log:
            process = subprocess.Popen(
                ["mariadbd", "--no-defaults", data, f"--user={user}", f"--socket={folder}/sock",
                 f"--port={server.port}", "--bind-address=127.0.0.1", "--skip-name-resolve", *given],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True,
            )  # fmt: skip
        try:
            wait_for(server.answers)
            server.ask(_TABLES)
            yield server
        finally:
            process.terminate()
            process.wait(30)
