"""Whom the web application slows down, by the table that it reads on Postfix' way (a real MariaDB)."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from components import entry
from model.stack_file import StackFileError
from tests.support.deploy import deploy
from tests.support.mariadb import Mariadb, mariadb
from tests.support.sandbox import Sandbox
from tests.support.stacks import changed

LISTED = "SELECT whitelistable_type, whitelistable_id FROM policy_ratelimit_wl ORDER BY 1, 2"


@pytest.fixture(scope="module")
def database() -> Iterator[Mariadb]:
    with mariadb() as running:
        running.ask("INSERT INTO kolabdev.users VALUES (9, 'noreply@example.org', 2)")
        yield running


def run(folder: Path, database: Mariadb, changes: dict[str, Any]) -> list[str]:
    """What the table holds once the scheduler's script has run, twice, in the stack with `changes`."""
    stack = deploy(changed("cluster", changes))
    sandbox = Sandbox(folder / "root")
    sandbox.command("mysql", f'exec /usr/bin/mariadb --no-defaults -P {database.port} "$@"')
    sandbox.mount(entry.PATH, stack.folder("scheduler", "scheduler", entry.PATH))
    env = stack.workload("scheduler").env("scheduler") | {
        "DB_HOST": "127.0.0.1",
        "DB_USERNAME": "kolab",
        "DB_PASSWORD": "secret",
    }
    for _ in range(2):
        done = sandbox.run(stack.file("scheduler", "scheduler", f"{entry.PATH}/unlimited.sh"), env=env)
        assert done.returncode == 0, done.stderr
    return database.ask(f"USE kolabdev; {LISTED}")


@pytest.mark.thorough
def test_people_of_this_stack_are_not_slowed_down_and_strangers_domains_are(
    tmp_path: Path, database: Mariadb
) -> None:
    # example.edu (3) is in the database and not in the stack file. The type is Laravel's name of the class.
    assert run(tmp_path, database, {}) == ["App\\\\Domain\t1", "App\\\\Domain\t2", "App\\\\User\t9"]


@pytest.mark.thorough
def test_the_stack_file_takes_an_exemption_back_and_leaves_that_of_a_user(
    tmp_path: Path, database: Mariadb
) -> None:
    database.ask(
        "INSERT INTO kolabdev.policy_ratelimit_wl (whitelistable_id, whitelistable_type) VALUES (2, 'App\\\\User')"
    )
    found = run(tmp_path, database, {"mail": {"rateLimits": {"unlimited": ["example.net"]}}})
    assert found == ["App\\\\Domain\t2", "App\\\\User\t2", "App\\\\User\t9"]


def test_a_domain_of_somebody_else_is_refused() -> None:
    with pytest.raises(StackFileError, match=r"mail\.rateLimits\.unlimited: names example\.edu, which is no"):
        changed("cluster", {"mail": {"rateLimits": {"unlimited": ["example.edu"]}}})


def test_exemptions_that_fail_do_not_stop_the_scheduler(sandbox: Sandbox) -> None:
    stack = deploy(changed("single-node", {}))
    sandbox.mount(entry.PATH, {**entry.scripts("webapp"), "unlimited.sh": "exit 1\n"})
    sandbox.command("/update.sh")
    sandbox.command("/opt/app-root/src/artisan")
    done = sandbox.run(stack.file("scheduler", "scheduler", f"{entry.PATH}/schedule.sh"))
    assert done.returncode == 0
    assert any("schedule:run" in call for call in sandbox.calls)
