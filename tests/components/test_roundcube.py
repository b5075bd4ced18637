"""Webmail, ActiveSync and Chwala: replicas that never migrate, and addresses that exist inside the cluster."""

from __future__ import annotations

import shlex
from pathlib import Path

import pytest

from components import entry
from model import budget
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox, talking
from tests.support.stacks import deployment

RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
SOURCE = "/opt/app-root/src"
PATH = f"{SOURCE}/init.sh"
A, B = ((RECIPES / name / f"rootfs{PATH}").read_text() for name in ("roundcube", "roundcube-b"))
GENERATIONS = pytest.mark.parametrize("init", [A, B], ids=["A", "B"])
FPM = """\
file=/etc/php-fpm.conf max=
for word in "$@"; do
  [ "${before-}" != --fpm-config ] || file=$word
  case $word in --fpm-config=*) file=${word#*=} ;; esac
  before=$word
done
read_in() {
  local line
  while read -r line; do
    case $line in include*) read_in "${line#*= }" ;; pm.max_children*) max=${line#*= } ;; esac
  done < "$1"
}
[ -r "$file" ] || { echo "ERROR: failed to open $file"; exit 78; }
read_in "$file"
[ "$before" = -tt ] || { echo "$max" > /tmp/processes; exit 0; }
printf '[27-Nov-2026 04:00:00] NOTICE: %s\\n' '[global]' '[www]' $'\\tpm.max_children = '"$max" "configuration file $file test is successful" >&2
"""
"""php-fpm: reads its files in order, tells what it has read, or starts."""
TABLES = ("session", "users", "system")
DATABASE = """\
echo "$MYSQL_PWD $*" >> /tmp/logins
case "$*" in
  *'SHOW TABLES'*) cat /tmp/tables ;;
  *'FROM system'*) cat /tmp/version ;;
esac
"""

URLS = (
    "KOLAB_API_URL",
    "FILEAPI_KOLABFILES_BASEURI",
    "KOLAB_FILES_SERVER_URL",
    "FILE_API_SERVER_URL",
    "FILEAPI_WOPI_OFFICE",
    "CALENDAR_CALDAV_SERVER",
    "TASKLIST_CALDAV_SERVER",
    "KOLAB_ADDRESSBOOK_CARDDAV_SERVER",
    "KOLAB_FREEBUSY_SERVER",
    "OAUTH_TOKEN_URI",
)
"""What the server itself calls."""


def roundcube(name: str = "cluster") -> Workload:
    return deployment(name).workload("roundcube")


def env(name: str = "cluster") -> dict[str, str]:
    return roundcube(name).env("roundcube")


def start(
    sandbox: Sandbox,
    daemon: str,
    container: str,
    *,
    init: str = A,
    name: str = "cluster",
    mysql: str = DATABASE,
    tables: tuple[str, ...] = TABLES,
    version: str = "2022081200",
    task: str = "",
) -> tuple[int, list[str]]:
    """Exit code and calls, but for those that only look."""
    sandbox.put(PATH, init)
    for file in ("php-fpm.conf", "init.sh"):
        recipe = RECIPES / ("roundcube-b" if init == B else "roundcube") / f"rootfs{SOURCE}" / file
        sandbox.put(f"{SOURCE}/{file}", init if file == "init.sh" else recipe.read_text())
    sandbox.put("/etc/roundcube/config.inc.php", "<?php\n")
    sandbox.put("/opt/app-root/php.ini", "memory_limit = MEMORY_LIMIT\n")
    sandbox.put(f"{SOURCE}/roundcubemail/SQL/mysql.initial.sql", SQL)
    for update in ("2008030300", "2022081200"):
        sandbox.put(f"{SOURCE}/roundcubemail/SQL/mysql/{update}.sql", "")
    sandbox.put("/tmp/tables", "".join(f"{table}\n" for table in tables))
    sandbox.put("/tmp/version", f"{version}\n")
    for command in ("contract-check", "httpd", f"{SOURCE}/roundcubemail/bin/updatedb.sh"):
        sandbox.command(command)
    sandbox.command("/usr/sbin/php-fpm", FPM)
    sandbox.command("mysql", mysql)
    stack = deployment(name)
    database = sandbox.port(3306)
    sandbox.mount(entry.PATH, stack.folder(daemon, container, entry.PATH))
    variables = stack.workload(daemon).env(container) | stack.secret_env(daemon, container)
    command = shlex.join(stack.workload(daemon).container(container)["command"])
    more = {"DB_HOST": "127.0.0.1", "KOLAB_TASK": task, "MEMORY_LIMIT": "320M", "MAX_FILESIZE": "50M"}
    with talking(database, []):
        done = sandbox.run(command, env=variables | more)
    return done.returncode, [
        call for call in sandbox.calls if not call.endswith("-tt") and call != "contract-check"
    ]


SQL = """\
-- Table structure: CREATE TABLE `commented`
CREATE TABLE `session` (
);
CREATE TABLE IF NOT EXISTS users (
);
create table `system` (
);
INSERT INTO `system` (`name`, `value`) VALUES ('roundcube-version', '2022081200');
"""


@pytest.mark.parametrize(
    "init",
    [
        A,
        B,
        B.replace(" --fpm-config ", " --fpm-config="),
        A.replace("set -x", "set -ex"),
        A.replace(
            "/usr/sbin/php-fpm --fpm-config /opt/app-root/src/php-fpm.conf",
            "cp php-fpm.conf /etc/php-fpm.conf; /usr/sbin/php-fpm",
        ),
        A.replace("exec httpd", "nice httpd"),
        A.replace("/usr/sbin/php-fpm", "sed -i s/50/400/ php-fpm.conf; /usr/sbin/php-fpm"),
    ],
    ids=[
        "A",
        "B",
        "an option in one word",
        "another trace",
        "the usual file",
        "not executed",
        "400 processes",
    ],
)
def test_php_has_as_many_processes_as_there_is_room_for(sandbox: Sandbox, init: str) -> None:
    code, calls = start(sandbox, "roundcube", "roundcube", init=init)
    assert code == 0, sandbox.err
    assert calls[-1] == "httpd -DFOREGROUND"
    assert calls[-2].endswith(" -d memory_limit=128M")
    assert sandbox.text("/tmp/processes") == f"{budget.PHP}\n"
    assert env()["MAX_CONCURRENT_REQUESTS"] == str(budget.PHP)
    assert "Sentinel" not in sandbox.out + sandbox.err


@pytest.mark.parametrize("line", ["-DFOREGROUND", "-D FOREGROUND", "-X", "-TX", "-k start -DFOREGROUND"])
@pytest.mark.parametrize("look", ["-t", "-v", "-f /etc/httpd.conf -t", "-tDDUMP_VHOSTS", "-S"])
def test_the_web_server_stays_and_may_be_looked_at_before(sandbox: Sandbox, line: str, look: str) -> None:
    init = A.replace("exec httpd -DFOREGROUND", f"httpd {look} || exit 1\nexec httpd {line}")
    code, calls = start(sandbox, "roundcube", "roundcube", init=init)
    assert (code, calls[-2:]) == (0, [f"httpd {look}", f"httpd {line}"]), sandbox.err
    assert "php-fpm" in calls[-3]


@pytest.mark.parametrize(
    ("init", "sentence"),
    [
        (A.replace("/usr/sbin/php-fpm --fpm", "true --fpm"), "starts a web server and no php-fpm"),
        (A.replace("exec httpd", "exec caddy"), "hands over to 'caddy -DFOREGROUND', not to httpd"),
        (A.replace("exec httpd -DFOREGROUND", "true"), "ended without its daemon"),
        *(
            (
                A.replace("exec httpd -DFOREGROUND", line),
                f"in the background, by '{line.removeprefix('exec ')}'",
            )
            for line in (
                "exec httpd",
                "httpd -k start",
                "exec env A=b httpd -f httpd-DFOREGROUND -DSSL",
                "httpd -k restart",
            )
        ),
        (
            A.replace("exec httpd -DFOREGROUND", "exec httpd -t -DFOREGROUND"),
            "ends with 'httpd -t -DFOREGROUND', which serves nobody",
        ),
        (
            A.replace(
                "/usr/sbin/php-fpm --fpm-config /opt/app-root/src/php-fpm.conf",
                "/usr/sbin/php-fpm --fpm-config /gone",
            ),
            "php-fpm refuses the image's configuration: ERROR: failed to open /gone",
        ),
    ],
)
def test_a_roundcube_image_that_cannot_be_limited_is_refused(
    sandbox: Sandbox, init: str, sentence: str
) -> None:
    code, calls = start(sandbox, "roundcube", "roundcube", init=init)
    assert code == 70
    assert sentence in sandbox.err
    assert not any(call.startswith("httpd") for call in calls)


@GENERATIONS
def test_the_migration_ends_by_itself(sandbox: Sandbox, init: str) -> None:
    # "shell" runs the migrations and then a shell, in whose place the tables are looked at.
    code, calls = start(sandbox, "roundcube-migrate", "migrate", init=init)
    assert (code, calls[0]) == (0, "mysql --defaults-file=/tmp/kolab-setup-my.cnf"), sandbox.err
    assert "the tables of the webmail are those of this image" in sandbox.out
    assert "Sentinel" not in sandbox.out + sandbox.err


@GENERATIONS
@pytest.mark.parametrize(
    ("tables", "version", "sentence"),
    [
        (
            ("session", "system"),
            "2022081200",
            "has not made the tables users of roundcubemail/SQL/mysql.initial.sql",
        ),
        ((), "", "has not made the tables session users system of"),
        (TABLES, "2021100300", "are of version '2021100300' and not of 2022081200: the update failed"),
        (TABLES, "", "are of version '' and not of 2022081200"),
    ],
)
def test_a_migration_whose_failure_the_image_overlooks_fails_the_job(
    sandbox: Sandbox, init: str, tables: tuple[str, ...], version: str, sentence: str
) -> None:
    code, _ = start(sandbox, "roundcube-migrate", "migrate", init=init, tables=tables, version=version)
    assert code == 70
    assert sentence in sandbox.err


@GENERATIONS
@pytest.mark.parametrize("daemon", [("roundcube", "roundcube"), ("roundcube-migrate", "migrate")])
def test_a_rehearsal_migrates_nothing_and_serves_nothing(
    sandbox: Sandbox, init: str, daemon: tuple[str, str]
) -> None:
    code, calls = start(sandbox, *daemon, init=init, task="rehearse")
    assert (code, calls) == (0, []), sandbox.err


def test_roundcube_replicas_never_migrate() -> None:
    assert env()["RUN_MIGRATIONS"] == "false"
    assert deployment("cluster").workload("roundcube-migrate").env("migrate")["RUN_MIGRATIONS"] == "true"


def test_only_the_migration_knows_the_password_of_the_databases_root() -> None:
    stack = deployment("cluster")
    assert stack.secret_env("roundcube-migrate", "migrate")["DB_ROOT_PASSWORD"]
    assert "DB_ROOT_PASSWORD" not in stack.secret_env("roundcube", "roundcube")


def test_nobody_is_root_of_somebody_elses_database() -> None:
    stack = deployment("external")
    assert "DB_ROOT_PASSWORD" not in stack.secret_env("roundcube-migrate", "migrate")
    assert "databaseRootPassword" not in stack.sentinels


ROOTLESS = {
    "A": A,
    "B": B,
    "by name": A.replace("--defaults-file=/tmp/kolab-setup-my.cnf", "--user=root"),
    "by another client": B.replace("mysql --defaults-file", "mariadb --defaults-file"),
}


@pytest.mark.parametrize("name", ROOTLESS)
def test_somebody_elses_database_is_migrated_as_the_user_of_roundcube(sandbox: Sandbox, name: str) -> None:
    sandbox.command("mariadb", DATABASE)
    code, calls = start(sandbox, "roundcube-migrate", "migrate", name="external", init=ROOTLESS[name])
    assert code == 0, sandbox.err
    asked = calls[0].partition(" ")[2]
    assert asked.startswith("--host=127.0.0.1 --user=roundcube --execute=CREATE TABLE")
    assert asked.endswith(" roundcube")
    logins = sandbox.text("/tmp/logins").splitlines()
    assert {login.partition(" ")[0] for login in logins} == {"Sentinel0roundcubeDatabasePassword0Value"}
    assert not any("root" in login for login in logins)


@GENERATIONS
def test_a_migration_that_may_make_no_tables_fails_with_a_sentence(sandbox: Sandbox, init: str) -> None:
    # The image itself would pass over it, and the Job would be complete without a table.
    code, calls = start(sandbox, "roundcube-migrate", "migrate", name="external", mysql="exit 1", init=init)
    assert (code, len(calls)) == (70, 1)
    assert "entry: user roundcube cannot make tables in database roundcube on 127.0.0.1" in sandbox.err


@pytest.mark.parametrize("name", URLS)
def test_what_the_server_calls_is_inside_the_cluster(name: str) -> None:
    scheme, _, rest = env()[name].partition("://")
    host = rest.partition("/")[0].partition(":")[0]
    assert (scheme, host in deployment("cluster").names("Service")) == ("http", True)


def test_what_the_browser_calls_has_the_public_name() -> None:
    for name in ("KOLAB_FILES_URL", "FILE_API_URL", "OAUTH_AUTH_URI", "OAUTH_REDIRECT_URI"):
        assert env()[name].startswith("https://example.org/")


def test_the_oauth_redirect_is_the_same_on_both_sides() -> None:
    webapp = deployment("cluster").workload("webapp").env("webapp")
    assert webapp["WEBMAIL_URL"].endswith("/")
    assert env()["OAUTH_REDIRECT_URI"] == (
        f"{webapp['APP_PUBLIC_URL']}{webapp['WEBMAIL_URL']}index.php/login/oauth"
    )


def test_both_sides_know_the_same_oauth_client() -> None:
    stack = deployment("cluster")
    webmail, webapp = stack.secret_env("roundcube", "roundcube"), stack.secret_env("webapp", "webapp")
    for what in ("ID", "SECRET"):
        assert webmail[f"PASSPORT_WEBMAIL_SSO_CLIENT_{what}"] == webapp[f"PASSPORT_WEBMAIL_SSO_CLIENT_{what}"]


def test_sessions_are_read_by_every_replica() -> None:
    assert deployment("cluster").secret_env("roundcube", "roundcube")["DES_KEY"]
    assert env()["REDIS_HOST"] == "redis"


def test_logs_leave_the_pod() -> None:
    # The image sets LOGDRIVER, which nothing reads.
    assert env()["LOG_DRIVER"] == "stdout"


def test_mail_is_sent_with_tls_to_the_inner_port() -> None:
    assert (env()["SUBMISSION_HOST"], env()["SUBMISSION_PORT"], env()["SUBMISSION_ENCRYPTION"]) == (
        "postfix",
        "10587",
        "starttls",
    )


def test_the_webmail_speaks_to_cyrus_without_the_proxy_protocol() -> None:
    # The image knows it over implicit TLS only, which the proxy's port for it does not speak.
    assert (env()["IMAP_HOST"], env()["IMAP_PORT"]) == ("imap", "11143")
    assert not {"IMAP_TLS", "IMAP_PROXY_PROTOCOL"} & env().keys()


def test_a_dead_php_is_noticed_though_apache_lives() -> None:
    # Nothing watches over php-fpm, and a static file would not tell.
    for probe in ("readinessProbe", "livenessProbe"):
        assert roundcube().container("roundcube")[probe]["httpGet"]["path"] == "/chwala/api/"


def test_office_addresses_are_there_with_the_office_only() -> None:
    assert "FILEAPI_WOPI_OFFICE" in env()
    assert not {"FILE_API_SERVER_URL", "FILEAPI_WOPI_OFFICE"} & env("bare").keys()


def test_the_data_folder_belongs_to_the_user_of_the_image() -> None:
    # init changes its mode, which only an owner may.
    assert roundcube().pod["securityContext"]["fsGroup"] == 1001
    assert "/data" in [each["mountPath"] for each in roundcube().container("roundcube")["volumeMounts"]]
