"""Webmail, ActiveSync and Chwala: replicas that never migrate, and addresses that exist inside the cluster."""

from __future__ import annotations

import shlex

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox, talking
from tests.support.stacks import deployment

AS_ROOT = "    mysql --defaults-file=/tmp/kolab-setup-my.cnf <<EOF"
INIT = f"""\
set -e
set -x
echo $DB_RC_PASSWORD > /tmp/password
if [[ "$RUN_MIGRATIONS" == "true" ]]; then
{AS_ROOT}
ALTER USER $DB_RC_USERNAME@'%' IDENTIFIED BY '$DB_RC_PASSWORD';
EOF
    initdb || :
fi
if [[ $1 == shell ]]; then
  exec shell
fi
exec httpd
"""
"""What our adjustments rely on (upstream: docker/roundcube/rootfs/opt/app-root/src/init.sh)."""

PATH = "/opt/app-root/src/init.sh"
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
    sandbox: Sandbox, daemon: str, container: str, *, init: str = INIT, name: str = "cluster", mysql: str = ""
) -> tuple[int, list[str]]:
    sandbox.put(PATH, init)
    for command in ("shell", "httpd", "initdb"):
        sandbox.command(command)
    sandbox.command("mysql", mysql)
    stack = deployment(name)
    database = sandbox.port(3306)
    sandbox.mount(entry.PATH, stack.folder(daemon, container, entry.PATH))
    variables = stack.workload(daemon).env(container) | stack.secret_env(daemon, container)
    command = shlex.join(stack.workload(daemon).container(container)["command"])
    with talking(database, []):
        done = sandbox.run(command, env=variables | {"DB_HOST": "127.0.0.1"})
    return done.returncode, sandbox.calls


def test_the_image_starts_as_it_is(sandbox: Sandbox) -> None:
    assert start(sandbox, "roundcube", "roundcube") == (0, ["httpd"])


def test_the_migration_ends_by_itself(sandbox: Sandbox) -> None:
    # "shell" runs the migrations and then a shell, which ends since nobody types.
    code, calls = start(sandbox, "roundcube-migrate", "migrate")
    assert (code, calls[-2:]) == (0, ["initdb", "shell"])


def test_no_password_is_traced_into_the_log(sandbox: Sandbox) -> None:
    start(sandbox, "roundcube", "roundcube")
    assert "Sentinel" not in sandbox.out + sandbox.err


def test_a_roundcube_image_that_lacks_a_line_does_not_start(sandbox: Sandbox) -> None:
    assert start(sandbox, "roundcube", "roundcube", init=INIT.replace("set -x\n", "")) == (70, [])


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


def test_somebody_elses_database_is_migrated_as_the_user_of_roundcube(sandbox: Sandbox) -> None:
    login = 'echo "$MYSQL_PWD" > /tmp/login'
    code, (asked, *rest) = start(sandbox, "roundcube-migrate", "migrate", name="external", mysql=login)
    assert (code, rest) == (0, ["initdb", "shell"])
    assert asked.startswith("mysql --host=127.0.0.1 --user=roundcube --execute=")
    assert asked.endswith(" roundcube")
    assert sandbox.text("/tmp/login") == "Sentinel0roundcubeDatabasePassword0Value\n"


def test_a_migration_that_may_make_no_tables_fails_with_a_sentence(sandbox: Sandbox) -> None:
    # The image itself would pass over it, and the Job would be complete without a table.
    code, calls = start(sandbox, "roundcube-migrate", "migrate", name="external", mysql="exit 1")
    assert (code, "initdb" in calls) == (70, False)
    assert "entry: user roundcube cannot make tables in database roundcube on 127.0.0.1" in sandbox.err


def test_a_roundcube_image_with_another_migration_does_not_start_it(sandbox: Sandbox) -> None:
    init = INIT.replace(AS_ROOT, "mysql <<EOF")
    assert start(sandbox, "roundcube-migrate", "migrate", name="external", init=init) == (70, [])


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
