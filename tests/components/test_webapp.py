"""The web application: four kinds of pods, one environment, no default that is wrong in a cluster."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import PATIENCE, Sandbox, wait_for
from tests.support.stacks import deployment

SOURCE = "/opt/app-root/src"
RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
A, B = ((RECIPES / name / "rootfs/init.sh").read_text() for name in ("webapp", "webapp-b"))
PHP_INI = (RECIPES / "webapp-b/rootfs/etc/php.ini").read_text()
MIGRATE = "php -dmemory_limit=512M ./artisan migrate --force || :"
GENERATIONS = pytest.mark.parametrize("init", [A, B], ids=["A", "B"])

ROLES = ("webapp", "horizon", "scheduler", "seed")


def workload(role: str, name: str = "single-node") -> Workload:
    return deployment(name).workload(role)


def env(role: str = "webapp", name: str = "single-node") -> dict[str, str]:
    return workload(role, name).env(role)


def image(sandbox: Sandbox, init: str = A) -> None:
    sandbox.put("/init.sh", init)
    sandbox.put("/etc/php.ini", PHP_INI)
    sandbox.mount(entry.PATH, deployment("single-node").folder("webapp", "webapp", entry.PATH))
    for command in (f"{SOURCE}/artisan", "php", "/update.sh", "update-ca-trust"):
        sandbox.command(command)
    sandbox.command("mysql", "echo 1")


def start(sandbox: Sandbox, role: str, task: str = "") -> tuple[int, list[str]]:
    """Exit code, and what the application was told to do but for looks at its database and Redis."""
    script = deployment("single-node").file(role, role, f"{entry.PATH}/entry.sh")
    more = {"KOLAB_TASK": task, "MAX_FILESIZE": "8M", "MEMORY_LIMIT": "128M"}
    done = sandbox.run(script, env=env(role) | deployment("single-node").secret_env(role, role) | more)
    calls = [call.partition("artisan ")[2] for call in sandbox.calls if "artisan" in call]
    looks = ("db:ping", "status:health", "data:countries")
    return done.returncode, [call for call in calls if not call.startswith(looks)]


SERVED = "octane:start --host=0.0.0.0 --workers=4 --task-workers=1"


@pytest.mark.parametrize(
    "init",
    [
        A,
        B,
        A.replace("exec ./artisan octane", "exec php ./artisan octane"),
        A.replace("exec ./artisan octane", "./artisan octane"),
        B.replace("exec ./artisan octane", "exec env A=b php -dx=y artisan octane"),
        A.replace("--host=0.0.0.0", "--host=0.0.0.0 --workers=64 --task-workers=auto"),
        A.replace("set -x", "set -ex"),
    ],
    ids=["A", "B", "by php", "not executed", "in an environment", "many workers", "another trace"],
)
def test_octane_starts_as_many_workers_as_its_memory_holds(sandbox: Sandbox, init: str) -> None:
    # Swoole takes one for each CPU of the node.
    image(sandbox, init)
    assert start(sandbox, "webapp") == (0, [SERVED])
    assert "Sentinel" not in sandbox.out + sandbox.err


@GENERATIONS
def test_horizon_migrates_before_it_works(sandbox: Sandbox, init: str) -> None:
    image(sandbox, init)
    assert start(sandbox, "horizon") == (0, ["migrate --force", "data:init", "horizon"])


FAILING = {
    "A": A,
    "B": B,
    "without php": A.replace(MIGRATE, "./artisan migrate --force || true"),
    "in a condition": B.replace(MIGRATE, "if ! php ./artisan migrate --force -n; then echo never mind; fi"),
}


@pytest.mark.parametrize("name", FAILING)
def test_a_migration_that_fails_is_not_served_as_if_nothing_had_happened(sandbox: Sandbox, name: str) -> None:
    image(sandbox, FAILING[name])
    for command in ("php", f"{SOURCE}/artisan"):
        sandbox.command(command, '[[ "$*" != *migrate* ]]')
    code, calls = start(sandbox, "horizon")
    assert (code, len(calls)) == (70, 1)
    assert re.search(r"^entry: '.*migrate --force.*' failed; nothing is served", sandbox.err, re.MULTILINE)


DESTRUCTIVE = (
    "migrate:fresh --seed --force",
    "migrate:refresh --seed",
    "migrate:reset --force",
    "migrate:rollback --force",
    "migrate --force --seed",
    "db:wipe --force",
    "db:seed --force",
)
CALLED = (
    "php -dmemory_limit=512M ./artisan {}",
    "/usr/bin/php ./artisan {}",
    "./artisan {}",
    f"{SOURCE}/artisan {{}}",
    "env A=b php ./artisan {}",
    "timeout 60 nice php ./artisan {}",
    "bash -c './artisan {}'",
    "/bin/sh -ec \"cd /tmp && php artisan '{}'\"",
    "echo './artisan {}' > /tmp/fill; bash /tmp/fill",
    "echo './artisan {}' > /tmp/fill; env A=b bash -e /tmp/fill",
    "source <(echo './artisan {}')",
)
"""Ways in which an init may call Laravel."""


@pytest.mark.parametrize("called", CALLED)
@pytest.mark.parametrize("command", DESTRUCTIVE)
def test_no_image_drops_the_tables_of_a_running_stack(sandbox: Sandbox, command: str, called: str) -> None:
    image(sandbox, B.replace(MIGRATE, f"{called.format(command)} || :"))
    assert start(sandbox, "horizon") == (70, [])
    assert "the image would drop or overwrite what the database holds, and was not let to: " in sandbox.err


@pytest.mark.parametrize(
    ("init", "sentence"),
    [
        (
            A.replace("exec ./artisan octane:start", "exec ./artisan serve"),
            "hands over to './artisan serve --host=0.0.0.0'",
        ),
        (B.replace("octane|OCTANE", "web|WEB"), "hands over to 'sleep 10000'"),
        (A.replace("exec ./artisan octane:start", "true"), "ended without its daemon"),
    ],
)
def test_a_webapp_image_without_octane_is_refused_with_a_sentence(
    sandbox: Sandbox, init: str, sentence: str
) -> None:
    image(sandbox, init)
    assert start(sandbox, "webapp") == (70, [])
    assert sentence in sandbox.err


@GENERATIONS
@pytest.mark.parametrize("role", ["webapp", "horizon"])
def test_a_rehearsal_changes_no_table_and_serves_nothing(sandbox: Sandbox, role: str, init: str) -> None:
    image(sandbox, init)
    # Neither the database nor Redis is there to be asked.
    for command in ("mysql", "php", f"{SOURCE}/artisan"):
        sandbox.command(command, '[[ "$*" = *data:countries ]]')
    assert start(sandbox, role, task="rehearse") == (0, [])
    assert "this image can run here" in sandbox.out


CLIENTS = pytest.mark.parametrize("client", ["mysql", "mariadb"])
"""What MariaDB's client is called; its own images have none of MySQL's names (components/scripts/backup/clients.sh)."""


def with_client(sandbox: Sandbox, client: str) -> None:
    """An image that calls MariaDB's client so and by no other name."""
    image(sandbox, A.replace("mysql -N", f"{client} -N"))
    sandbox.lacks("mysql", "mariadb")
    sandbox.path("/bin/mysql").rename(sandbox.path(f"/bin/{client}"))


@CLIENTS
@pytest.mark.parametrize("task", ["", "rehearse"])
def test_the_database_is_asked_by_whichever_client_the_image_has(
    sandbox: Sandbox, client: str, task: str
) -> None:
    with_client(sandbox, client)
    assert start(sandbox, "webapp", task) == (0, [] if task else [SERVED])


def test_an_image_that_cannot_ask_the_database_is_refused_and_waits_for_nothing(sandbox: Sandbox) -> None:
    with_client(sandbox, "mycli")
    assert start(sandbox, "webapp") == (70, [])
    assert "entry: neither mysql nor mariadb is in this image" in sandbox.err


def test_a_rehearsal_that_would_never_end_says_so(sandbox: Sandbox) -> None:
    image(sandbox, A.replace("mysql -N", "false"))
    sandbox.quick_sleep()
    assert start(sandbox, "webapp", "rehearse") == (70, [])
    assert "waits for something that a rehearsal has no way to" in sandbox.err


@pytest.mark.parametrize("role", ["webapp", "horizon"])
def test_nobody_migrates_beside_the_seed_job(sandbox: Sandbox, role: str) -> None:
    # The image waits for the first of all migrations only.
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("mysql", "[ -e /tmp/seeded ] && echo 1 || echo 0")
    script = deployment("single-node").file(role, role, f"{entry.PATH}/entry.sh")
    secrets = deployment("single-node").secret_env(role, role)
    with sandbox.start(script, env=env(role) | secrets) as process:
        wait_for(lambda: sum("mysql" in call for call in sandbox.calls) >= 3)
        assert not any("artisan" in call for call in sandbox.calls)
        sandbox.put("/tmp/seeded", "")
        process.wait(PATIENCE)
    assert any("artisan" in call for call in sandbox.calls)
    assert "FROM users" in next(call for call in sandbox.calls if "mysql" in call)


@pytest.mark.parametrize("role", ["webapp", "horizon"])
def test_no_password_is_traced_into_the_log(sandbox: Sandbox, role: str) -> None:
    image(sandbox)
    start(sandbox, role)
    assert "Sentinel" not in sandbox.out + sandbox.err


def test_the_scheduler_runs_every_minute_and_never_twice() -> None:
    spec = workload("scheduler").object["spec"]
    assert (workload("scheduler").kind, spec["schedule"], spec["concurrencyPolicy"]) == (
        "CronJob",
        "* * * * *",
        "Forbid",
    )


def test_the_scheduler_runs_on_what_the_image_was_updated_to(sandbox: Sandbox) -> None:
    image(sandbox)
    command = shlex.join(workload("scheduler").container("scheduler")["command"])
    assert sandbox.run(command).returncode == 0
    assert [call.rpartition("/")[2] for call in sandbox.calls] == ["update.sh", "artisan schedule:run"]


@pytest.mark.parametrize("role", ["scheduler", "webapp"])
def test_php_of_newer_images_is_told_its_limits_in_every_role(sandbox: Sandbox, role: str) -> None:
    image(sandbox, B)
    command = shlex.join(workload(role).container(role)["command"])
    more = deployment("single-node").secret_env(role, role) | {"MAX_FILESIZE": "8M", "MEMORY_LIMIT": "128M"}
    assert sandbox.run(command, env=env(role) | more).returncode == 0
    assert sandbox.text("/etc/php.ini").splitlines()[1:] == [
        "error_reporting = E_ALL",
        "memory_limit = 128M",
        "post_max_size = 8M",
        "upload_max_filesize = 8M",
    ]


def test_two_horizons_never_migrate_at_a_time() -> None:
    spec = workload("horizon", "cluster").object["spec"]
    assert (spec["replicas"], spec["strategy"]["type"]) == (1, "Recreate")


def test_the_queue_is_worked_off_by_horizon_which_knows_all_of_its_queues() -> None:
    for name in ("single-node", "cluster"):
        roles = {env(role, name)["KOLAB_ROLE"] for role in ROLES}
        assert roles == {"octane", "horizon", "scheduler", "seed"}


def test_all_pods_of_the_application_have_one_environment() -> None:
    # What begins with KOLAB_ is for the scripts.
    plain = [
        {key: value for key, value in env(role).items() if not key.startswith("KOLAB_")} for role in ROLES
    ]
    assert all(each == plain[0] for each in plain)


def test_internal_hooks_answer_to_the_name_that_the_daemons_use() -> None:
    allowed = env()["APP_SERVICES_ALLOWED_DOMAINS"].split(",")
    assert (env()["APP_WITH_SERVICES"], allowed) == ("1", ["webapp"])
    inner = deployment("single-node").file("proxy", "proxy", "/etc/nginx/conf.d/kolab.conf")
    hook = inner[inner.index("location = /api/webhooks/nginx") :].partition("}")[0]
    assert "proxy_set_header Host webapp;" in hook
    assert "proxy_pass http://webapp:8000;" in hook
    for daemon in ("imap", "postfix"):
        assert workload(daemon).env(daemon)["APP_SERVICES_DOMAIN"] in allowed


@pytest.mark.parametrize(("name", "port"), [("IMAP", "11143"), ("SMTP", "10587")])
def test_the_mail_proxy_is_sent_to_plain_names_and_plaintext_ports(name: str, port: str) -> None:
    # They are looked up as IPv4 in the webapp's pod, and nginx speaks no TLS to what it finds.
    host = env()[f"{name}_HOST"]
    assert deployment("single-node").service(host)["spec"].get("clusterIP") != "None"
    assert env()[f"{name}_PORT"] == port


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("APP_ENV", "production"),
        ("APP_DEBUG", "false"),
        ("APP_LDAP", "0"),
        ("APP_IMAP", "1"),
        ("APP_WITH_SIGNUP", "0"),
        ("QUEUE_CONNECTION", "redis"),
        ("CACHE_DRIVER", "redis"),
        ("LOG_CHANNEL", "stdout"),
        ("IMAP_WITH_GROUPWARE_DEFAULT_FOLDERS", "false"),
        ("IMAP_URI", "imap:11143"),
        ("DAV_URI", "http://imap:11080/dav/"),
        ("DB_PORT", "3306"),
        ("APP_DISCOVERY_IMAP", "ssl://imap.example.org:993"),
        ("APP_DISCOVERY_SMTP", "ssl://smtp.example.org:465"),
        ("APP_DISCOVERY_POP3", ""),
        ("APP_DISCOVERY_ACTIVESYNC", "activesync.example.org"),
    ],
)
def test_no_default_that_is_wrong_in_a_cluster_is_left(name: str, value: str) -> None:
    assert env()[name] == value


@pytest.mark.parametrize("name", ["single-node", "cluster"])
def test_no_page_of_others_shows_the_application_in_a_frame(name: str) -> None:
    assert directives(name)["frame-ancestors"] == ["'self'"]
    # Browsers that do not know the policy know this (RFC 7034).
    assert env(name=name)["APP_HEADER_XFO"] == "sameorigin"


@pytest.mark.parametrize("what", ["script-src", "style-src", "font-src", "connect-src", "default-src"])
def test_pages_under_other_names_may_take_what_they_need_from_the_website(what: str) -> None:
    # admin.example.org has its scripts from there (ASSET_URL), by a policy of its own origin it would be an empty page.
    assert env()["ASSET_URL"] in directives()[what]


def test_conferences_reach_their_server_in_browsers_that_take_a_websocket_for_another_origin() -> None:
    assert f"wss://{env()['APP_WEBSITE_DOMAIN']}" in directives()["connect-src"]


def test_nobody_but_the_stack_itself_is_trusted_with_scripts_or_forms() -> None:
    trusted = {"'self'", env()["ASSET_URL"], "'unsafe-inline'", "'unsafe-eval'", "data:"}
    assert {*directives()["script-src"], *directives()["form-action"]} <= trusted


def directives(name: str = "single-node") -> dict[str, list[str]]:
    """Directive of the Content-Security-Policy -> its sources (CSP 3, section 2.2.1)."""
    parts = [part.split() for part in env(name=name)["APP_HEADER_CSP"].split(";")]
    return {directive: sources for directive, *sources in parts}


def test_new_passwords_are_as_long_as_the_stack_file_says() -> None:
    # Without it the application takes six characters (upstream: src/config/app.php).
    assert env()["PASSWORD_POLICY"] == "min:10,max:255"


def test_what_is_switched_off_is_not_announced() -> None:
    bare = env(name="bare")
    assert (bare["APP_WITH_MEET"], bare["APP_WITH_FILES"], bare["APP_DISCOVERY_ACTIVESYNC"]) == (
        "false",
        "0",
        "",
    )


def test_the_filters_settings_are_shown_only_where_mail_passes_the_filter() -> None:
    assert [env(name=name)["APP_WITH_MAILFILTER"] for name in ("cluster", "full")] == ["false", "true"]


def test_only_pods_are_believed_about_the_address_of_a_client() -> None:
    assert env()["TRUSTED_PROXIES"] == "10.42.0.0/16"


def test_system_mail_greets_with_a_full_name() -> None:
    # Postfix refuses "localhost" on the inner port.
    assert "." in env()["MAIL_EHLO_DOMAIN"]


def test_the_application_repeats_the_policy_that_the_proxy_serves() -> None:
    served = deployment("cluster").file("proxy", "proxy", "/kolab/mta-sts/mta-sts.txt")
    assert env(name="cluster")["MTA_STS"] == served


def test_without_a_policy_the_application_makes_up_none() -> None:
    assert env()["MTA_STS"] == ""


def test_files_go_to_the_gateway_or_to_minio_or_to_the_operators_own_s3() -> None:
    assert (env()["FILESYSTEM_DISK"], env()["AWS_ENDPOINT"]) == ("s3", "http://versitygw:7070")
    before = env(name="moving")
    assert (before["FILESYSTEM_DISK"], before["MINIO_ENDPOINT"]) == ("minio", "http://minio:9000")
    external = env(name="external")
    assert (external["FILESYSTEM_DISK"], external["AWS_ENDPOINT"]) == ("s3", "https://s3.example.net")


def test_the_keys_that_encrypt_data_cannot_vanish() -> None:
    (keys,) = (each for each in deployment("cluster").resources if each.name == "webapp-keys")
    assert {"APP_KEY", "PASSPORT_PRIVATE_KEY"} <= keys.inputs["stringData"].keys()
    assert (keys.protect, len(keys.delete_hooks)) == (True, 1)


def test_two_frontends_are_never_both_away() -> None:
    strategy = workload("webapp", "cluster").object["spec"]["strategy"]["rollingUpdate"]
    assert strategy["maxUnavailable"] == 0
    budget = deployment("cluster").get("PodDisruptionBudget", "webapp")
    assert budget["spec"]["maxUnavailable"] == 1


def test_a_first_start_may_wait_an_hour_for_the_seed() -> None:
    for role in ("webapp", "horizon"):
        probe = workload(role).container(role)["startupProbe"]
        assert probe["periodSeconds"] * probe["failureThreshold"] >= 3600


@pytest.mark.parametrize("feature", ["DISTLISTS", "SHARED_FOLDERS", "RESOURCES"])
@pytest.mark.parametrize("role", ROLES)
def test_addresses_that_would_be_answered_550_are_not_offered(role: str, feature: str) -> None:
    # The image offers them by default (upstream: src/config/app.php), and Postfix knows none of them.
    assert env(role)[f"APP_WITH_{feature}"] == "false"
