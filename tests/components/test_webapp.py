"""The web application: four kinds of pods, one environment, no default that is wrong in a cluster."""

from __future__ import annotations

import shlex

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import PATIENCE, Sandbox, wait_for
from tests.support.stacks import deployment

TRACE = "set -x"
OCTANE = "        exec ./artisan octane:start --host=0.0.0.0"
MIGRATE = "        php -dmemory_limit=512M ./artisan migrate --force || :"
SOURCE = "/opt/app-root/src"
INIT = f"""\
set -e
{TRACE}
cd {SOURCE}
case $KOLAB_ROLE in
    horizon)
{MIGRATE}
        php -dmemory_limit=512M ./artisan data:init
        exec ./artisan horizon
    ;;
    octane)
{OCTANE}
    ;;
esac
"""
"""What our adjustments rely on (upstream: docker/webapp/init.sh)."""

ROLES = ("webapp", "horizon", "scheduler", "seed")


def workload(role: str, name: str = "single-node") -> Workload:
    return deployment(name).workload(role)


def env(role: str = "webapp", name: str = "single-node") -> dict[str, str]:
    return workload(role, name).env(role)


def image(sandbox: Sandbox, without: str = "") -> None:
    sandbox.put("/init.sh", INIT.replace(f"{without}\n", ":\n") if without else INIT)
    sandbox.mount(entry.PATH, deployment("single-node").folder("webapp", "webapp", entry.PATH))
    sandbox.command(f"{SOURCE}/artisan")
    sandbox.command("php")
    sandbox.command("mysql", "echo 1")


def start(sandbox: Sandbox, role: str) -> tuple[int, list[str]]:
    """Exit code, and how the application was called."""
    script = deployment("single-node").file(role, role, f"{entry.PATH}/entry.sh")
    done = sandbox.run(script, env=env(role) | deployment("single-node").secret_env(role, role))
    return done.returncode, [call for call in sandbox.calls if "artisan" in call]


@pytest.mark.parametrize("line", [TRACE, OCTANE, MIGRATE], ids=["trace", "octane", "migrate"])
def test_a_webapp_image_that_lacks_a_line_does_not_start(sandbox: Sandbox, line: str) -> None:
    image(sandbox, without=line)
    assert start(sandbox, "webapp") == (70, [])
    assert sandbox.err.startswith("entry: expected 1 line(s)")


def test_octane_starts_as_many_workers_as_its_memory_holds(sandbox: Sandbox) -> None:
    # Swoole takes one for each CPU of the node.
    image(sandbox)
    _, (call,) = start(sandbox, "webapp")
    assert call.endswith("octane:start --host=0.0.0.0 --workers=4 --task-workers=4")


def test_horizon_migrates_before_it_works(sandbox: Sandbox) -> None:
    image(sandbox)
    _, calls = start(sandbox, "horizon")
    assert [call.split("artisan ")[1] for call in calls] == ["migrate --force", "data:init", "horizon"]


def test_a_migration_that_fails_is_not_served_as_if_nothing_had_happened(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.command("php", '[[ "$*" != *migrate* ]]')
    code, calls = start(sandbox, "horizon")
    assert (code, any("horizon" in call for call in calls)) == (1, False)


@pytest.mark.parametrize("role", ["webapp", "horizon"])
def test_nobody_migrates_beside_the_seed_job(sandbox: Sandbox, role: str) -> None:
    # The image waits for the first of all migrations only.
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("mysql", "[ -e /tmp/seeded ] && echo 1 || echo 0")
    script = deployment("single-node").file(role, role, f"{entry.PATH}/entry.sh")
    with sandbox.start(script, env=env(role)) as process:
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
    sandbox.command("/update.sh")
    command = shlex.join(workload("scheduler").container("scheduler")["command"])
    assert sandbox.run(command).returncode == 0
    assert [call.rpartition("/")[2] for call in sandbox.calls] == ["update.sh", "artisan schedule:run"]


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


def test_files_go_to_minio_or_to_the_operators_own_s3() -> None:
    assert (env()["FILESYSTEM_DISK"], env()["MINIO_ENDPOINT"]) == ("minio", "http://minio:9000")
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
