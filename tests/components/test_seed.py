"""The seed Job against a database in every state: it never drops anything, and says "done" only when it is."""

from __future__ import annotations

import shutil

import pytest

from components import entry
from tests.support.sandbox import Sandbox, wait_for
from tests.support.stacks import deployment

SOURCE = "/opt/app-root/src"
MYSQL = r"""
query=${!#}
[ -e /tmp/db/refuses ] && { echo "ERROR 1045 (28000): Access denied" >&2; exit 1; }
if [ -e /tmp/db/fails-on ] && [[ $query == *"$(cat /tmp/db/fails-on)"* ]]; then
  echo "ERROR 2005 (HY000): Unknown server host 'mariadb'" >&2; exit 1
fi
[ "$query" = "SELECT 1" ] && exit
if [[ $query == *information_schema* ]]; then ls /tmp/db | grep -cxE 'migrations|users'; exit 0; fi
table=$(sed 's/.*FROM \([a-z0-9]*\).*/\1/' <<< "$query")
[ -e "/tmp/db/$table" ] || { echo "ERROR 1146 (42S02): Table '$table' doesn't exist" >&2; exit 1; }
if [[ $query == "SELECT migration "* ]]; then cat "/tmp/db/$table"; exit; fi
if [[ $query == *admin@* ]]; then grep -c fresh-admin "/tmp/db/$table"; exit 0; fi
wc -l < "/tmp/db/$table"
"""
"""A database whose tables are files with one line per row."""

ARTISAN = r"""
case "$*" in
  *"migrate --force" | *"migrate --seed --force")
    for file in database/migrations/*.php; do
      [ -e /tmp/overlooked ] || basename "$file" .php >> /tmp/db/migrations
    done ;;&
  *"migrate --force") ;;
  *"migrate --seed --force") echo row > /tmp/db/users; echo fresh-admin >> /tmp/db/users; touch /tmp/db/ip4nets ;;
  *"data:import") [ -e /tmp/offline ] || echo 192.0.2.0/24 > /tmp/db/ip4nets ;;
  "user:password "*) echo changed > /tmp/db/users ;;
  *) exit 9 ;;
esac
"""


MIGRATIONS = ("2014_10_12_000000_create_users_table", "2026_05_01_100000_create_group_members_table")
MIGRATE = "php -dmemory_limit=512M ./artisan migrate --force"


def script() -> str:
    return deployment("single-node").file("seed", "seed", f"{entry.PATH}/seed.sh")


class Database:
    """The database's tables, and the seed Job to run on it."""

    def __init__(self, sandbox: Sandbox) -> None:
        self.sandbox = sandbox
        sandbox.path("/tmp/db").mkdir()
        for command, body in (("mysql", MYSQL), ("php", ARTISAN), (f"{SOURCE}/artisan", ARTISAN)):
            sandbox.command(command, body)
        sandbox.command("/update.sh")
        for migration in MIGRATIONS:
            sandbox.put(f"{SOURCE}/database/migrations/{migration}.php", "<?php")
        sandbox.mount(entry.PATH, deployment("single-node").folder("seed", "seed", entry.PATH))
        sandbox.quick_sleep()
        workload = deployment("single-node").workload("seed")
        self.env = workload.env("seed") | deployment("single-node").secret_env("seed", "seed")

    def holds(self, **rows: int) -> None:
        """Makes tables with so many rows."""
        for table, count in rows.items():
            self.sandbox.put(f"/tmp/db/{table}", "row\n" * count)

    def rows(self, table: str) -> int:
        return len(self.sandbox.text(f"/tmp/db/{table}").splitlines())

    def seed(self) -> tuple[int, str]:
        """Exit code and output of the Job."""
        done = self.sandbox.run(script(), env=self.env)
        return done.returncode, done.stdout + done.stderr

    @property
    def changes(self) -> list[str]:
        """Calls that write to the database."""
        return [call for call in self.sandbox.calls if not call.startswith(("mysql", "sleep", "/update.sh"))]


@pytest.fixture
def database(sandbox: Sandbox) -> Database:
    return Database(sandbox)


def test_an_empty_database_is_filled_and_address_ranges_are_imported(database: Database) -> None:
    code, output = database.seed()
    assert (code, output.splitlines()[-1]) == (0, "seed: done")
    assert database.rows("ip4nets") == 1


def test_the_first_administrator_gets_the_password_of_the_stack(database: Database) -> None:
    database.seed()
    assert f"{SOURCE}/artisan user:password admin@example.org Sentinel0adminPassword0Value" in [
        call.replace("./artisan", f"{SOURCE}/artisan") for call in database.changes
    ]


def test_a_password_that_somebody_changed_is_left_alone(database: Database) -> None:
    database.holds(migrations=9, users=3, ip4nets=5)
    database.seed()
    assert database.changes == [MIGRATE]


def test_the_seed_script_drops_nothing(database: Database) -> None:
    code = "\n".join(line for line in script().splitlines() if not line.startswith("#"))
    assert not any(
        word in code.lower() for word in ("fresh", "refresh", "drop table", "drop database", "truncate")
    )
    database.holds(migrations=9, users=3, ip4nets=5)
    database.seed()
    assert {table: database.rows(table) for table in ("users", "ip4nets")} == {"users": 3, "ip4nets": 5}
    assert database.rows("migrations") >= 9


def test_the_tables_of_a_database_with_accounts_are_brought_to_the_image(database: Database) -> None:
    database.holds(migrations=9, users=3, ip4nets=5)
    code, output = database.seed()
    assert (code, database.changes) == (0, [MIGRATE])
    assert "the database holds accounts: only its tables are brought to this image" in output


@pytest.mark.parametrize("rows", [{}, {"migrations": 9, "users": 3, "ip4nets": 5}], ids=["empty", "full"])
def test_a_migration_that_the_application_overlooks_is_named_and_fails_the_job(
    database: Database, sandbox: Sandbox, rows: dict[str, int]
) -> None:
    database.holds(**rows)
    sandbox.put("/tmp/overlooked", "")
    sandbox.put("/tmp/db/.keep", "")
    if not rows:
        sandbox.command("php", "touch /tmp/db/{migrations,users,ip4nets}")
    code, output = database.seed()
    assert (code, "seed: done" in output) == (1, False)
    assert f"the tables lack what these migrations make: {' '.join(MIGRATIONS)};" in output


def test_a_migration_that_fails_is_the_end(database: Database, sandbox: Sandbox) -> None:
    database.holds(migrations=9, users=3, ip4nets=5)
    sandbox.command("php", "echo 'SQLSTATE[42S21]: Column already exists' >&2; exit 1")
    code, output = database.seed()
    assert (code, "seed: done" in output) == (1, False)
    assert "Column already exists" in output


def test_a_migration_that_may_choose_not_to_run_is_not_missed(database: Database, sandbox: Sandbox) -> None:
    database.holds(migrations=9, users=3, ip4nets=5)
    choosy = f"{SOURCE}/database/migrations/2026_06_01_100000_index_for_postgres.php"
    sandbox.put("/tmp/overlooked", "")
    for name in MIGRATIONS:
        sandbox.path(f"{SOURCE}/database/migrations/{name}.php").unlink()
    sandbox.put(choosy, "<?php return new class { public function shouldRun(): bool {} };")
    assert database.seed()[0] == 0


def test_an_image_without_its_migrations_is_refused(database: Database, sandbox: Sandbox) -> None:
    database.holds(migrations=9, users=3, ip4nets=5)
    shutil.rmtree(sandbox.path(f"{SOURCE}/database"))
    code, output = database.seed()
    assert code == 70
    assert "has no database/migrations: it differs" in output


def test_a_wrong_password_is_no_empty_database(database: Database, sandbox: Sandbox) -> None:
    sandbox.put("/tmp/db/refuses", "")
    with sandbox.start(script(), env=database.env) as process:
        wait_for(lambda: sandbox.out.count("waiting for the database") >= 3)
        assert (process.poll(), database.changes) == (None, [])


FAILING = ["information_schema", "FROM migrations", "COUNT(*) FROM users", "admin@", "FROM ip4nets"]


@pytest.mark.parametrize("question", FAILING)
def test_a_name_server_that_fails_in_between_changes_nothing_and_is_an_error(
    database: Database, sandbox: Sandbox, question: str
) -> None:
    database.holds(migrations=9, users=3, ip4nets=0)
    sandbox.put("/tmp/db/fails-on", question)
    code, output = database.seed()
    assert (code != 0, "seed: done" in output) == (True, False)
    assert set(database.changes) <= {MIGRATE}
    assert "the database does not answer about" in output


@pytest.mark.parametrize(
    "tables", [{"migrations": 9}, {"migrations": 9, "users": 0}, {"migrations": 0, "users": 0}]
)
def test_a_half_made_database_is_reported_and_left_alone(database: Database, tables: dict[str, int]) -> None:
    database.holds(**tables)
    code, output = database.seed()
    assert (code, database.changes) == (1, [])
    assert "half-made" in output


def test_registries_that_cannot_be_reached_are_an_error_and_tried_again(
    database: Database, sandbox: Sandbox
) -> None:
    sandbox.put("/tmp/offline", "")
    code, output = database.seed()
    assert code != 0
    assert "registries could not be reached" in output
    sandbox.path("/tmp/offline").unlink()
    assert database.seed()[0] == 0
    assert deployment("single-node").workload("seed").object["spec"]["backoffLimit"] >= 10


def test_accounts_without_address_ranges_only_get_the_import(database: Database) -> None:
    database.holds(migrations=9, users=3, ip4nets=0)
    code, _ = database.seed()
    assert code == 0
    assert database.changes == [MIGRATE, MIGRATE.replace("migrate --force", "data:import")]


def test_no_container_runs_the_images_own_seed() -> None:
    # KOLAB_ROLE seed of the image's init is the one that drops every table, and so does combined at times.
    for name in ("single-node", "cluster"):
        for workload in deployment(name).workloads:
            for container in workload.containers:
                env = workload.env(container["name"])
                if env.get("KOLAB_ROLE") not in (None, "octane", "horizon", "scheduler"):
                    assert container["command"] == ["/bin/bash", f"{entry.PATH}/seed.sh"]
