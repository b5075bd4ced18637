"""Amavis: lives in Postfix's pod, signs with the mounted key, and for nobody but this pod."""

from __future__ import annotations

import shlex

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox, talking, wait_for
from tests.support.stacks import deployment

CONF = "/etc/amavisd/amavisd.conf"
KEPT = "/var/lib/quarantine"
UNSIGNED = "single-node"
"""Its only key is published, not active yet."""
SIGNED = "cluster"
OURS = "-c /kolab/entry/signs.conf -c /kolab/entry/pod.conf -c /kolab/entry/verdicts.conf"
"""Read after the image's own; tests/components/test_amavis_images.py asks a real Amavis what it makes of them."""


def pod(name: str = SIGNED) -> Workload:
    return deployment(name).workload("postfix")


def script(name: str = SIGNED) -> str:
    return deployment(name).file("postfix", "amavis", f"{entry.PATH}/entry.sh")


def image(sandbox: Sandbox) -> None:
    sandbox.mount(entry.PATH, deployment(SIGNED).folder("postfix", "amavis", entry.PATH))
    sandbox.put("/init.sh", f"set -e\nCONFIG={CONF}\nexec amavisd -c $CONFIG foreground\n")
    for command in ("amavisd", "sa-update", "perl", "chown"):
        sandbox.command(command)


@pytest.fixture
def started(sandbox: Sandbox) -> Sandbox:
    image(sandbox)
    done = sandbox.run(script(), env=REDIS)
    assert done.returncode == 0, done.stderr
    return sandbox


REDIS = {"REDIS_HOST": "redis", "REDIS_PASSWORD": "secret"}


def test_the_image_starts_amavis_with_our_configuration_last(started: Sandbox) -> None:
    assert started.became == f"amavisd -c {CONF} {OURS} foreground"


@pytest.mark.parametrize(
    ("store", "said"),
    [
        ("Mail::SpamAssassin::BayesStore::Redis\nserver=redis:6379;database=4;password=secret", ""),
        ("Mail::SpamAssassin::BayesStore::Redis\nserver=REDIS_HOST:6379;password=REDIS_PASSWORD", "in another Redis"),
        ("Mail::SpamAssassin::BayesStore::PgSQL\n", "which this stack does not know"),
    ],
)  # fmt: skip
def test_what_spamassassin_does_not_keep_is_said_and_stops_nothing(
    sandbox: Sandbox, store: str, said: str
) -> None:
    image(sandbox)
    sandbox.command("perl", f"printf '{store}\n\n/none\n'")
    done = sandbox.run(script(), env=REDIS)
    assert done.returncode == 0
    assert said in done.stderr
    assert bool(done.stderr) == bool(said)


def test_what_spamassassin_has_learnt_outlives_a_pod_whose_image_keeps_it_in_files(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.put("/etc/spamassassin/local.cf", "")
    sandbox.command("perl", "printf '%s\\n' '' '' __userstate__/bayes /etc/spamassassin")
    sandbox.command("chown")
    assert sandbox.run(script(), env=REDIS).returncode == 0
    folder = "/var/lib/spamassassin/bayes"
    assert sandbox.text("/etc/spamassassin/zz_kolab.cf") == f"bayes_path {folder}/bayes\n"
    assert f"chown amavis:amavis {folder}" in sandbox.calls
    mounts = {each["mountPath"] for each in pod().container("amavis")["volumeMounts"]}
    assert "/var/lib/spamassassin" in mounts


def test_amavis_is_told_the_redis_of_the_stack() -> None:
    env = pod().env("amavis") | deployment(SIGNED).secret_env("postfix", "amavis")
    assert (env["REDIS_HOST"], env["REDIS_DATABASE"]) == ("redis", "4")
    assert env["REDIS_PASSWORD"] == deployment(SIGNED).sentinels["redisPassword"]
    assert "postfix" in deployment(SIGNED).clients("redis", 6379)


def test_amavis_is_a_container_of_postfixs_pod() -> None:
    # The image turns away clients that are neither 127.0.0.1 nor in 172.16/12.
    assert [each["name"] for each in pod().containers][:2] == ["postfix", "amavis"]
    assert (pod().env("postfix")["AMAVIS_HOST"], pod().env("amavis")["POSTFIX_HOST"]) == (
        "127.0.0.1",
        "127.0.0.1",
    )
    assert "amavis" not in {each.name for each in deployment(SIGNED).workloads}


def test_the_dkim_key_file_has_the_name_amavis_looks_for() -> None:
    env = pod().env("amavis")
    expected = f"/var/dkim/{env['APP_DOMAIN']}.{env['DKIM_IDENTIFIER']}.pem"
    assert expected == "/var/dkim/example.org.k202605.pem"
    assert deployment(SIGNED).file("postfix", "amavis", expected) == "Sentinel0dkimKey-k2026050Value"


def test_the_dkim_key_can_be_read_after_root_is_dropped() -> None:
    (volume,) = (each for each in pod().pod["volumes"] if each["name"] == "dkim")
    assert volume["secret"]["defaultMode"] == 0o444


def test_a_key_is_mounted_before_it_signs_so_that_amavis_makes_none_of_its_own() -> None:
    identifier = pod(UNSIGNED).env("amavis")["DKIM_IDENTIFIER"]
    assert deployment(UNSIGNED).file("postfix", "amavis", f"/var/dkim/example.org.{identifier}.pem")


def test_each_selector_has_a_secret_of_its_own_that_cannot_vanish() -> None:
    keys = [
        each
        for each in deployment(SIGNED).resources
        if each.name in ("postfix-dkim-k202605", "postfix-dkim-k202611")
    ]
    assert [(each.protect, len(each.delete_hooks)) for each in keys] == [(True, 1), (True, 1)]


def test_the_virus_scanner_is_switched_by_a_word_that_is_a_command() -> None:
    assert [pod(name).env("amavis")["CLAMD"] for name in ("cluster", "full")] == ["false", "true"]


def test_the_virus_scanner_gets_the_memory_that_it_needs() -> None:
    limits = [pod(name).container("amavis")["resources"]["limits"]["memory"] for name in ("cluster", "full")]
    assert limits == ["1Gi", "3Gi"]


def test_spam_rules_are_updated_every_day(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("amavisd", '[ "${@: -1}" != foreground ] || exec /bin/sleep 30')
    with sandbox.start(script(), env=REDIS):
        wait_for(lambda: f"amavisd -c {CONF} {OURS} reload" in sandbox.calls)
    assert "sleep 86400" in sandbox.calls


def test_nothing_new_means_no_reload(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("sa-update", "exit 1")
    sandbox.command("amavisd", '[ "${@: -1}" != foreground ] || exec /bin/sleep 30')
    with sandbox.start(script(), env=REDIS):
        wait_for(lambda: sandbox.calls.count("sa-update") >= 2)
    assert f"amavisd -c {CONF} {OURS} reload" not in sandbox.calls


def test_rules_and_signatures_outlive_the_pod() -> None:
    mounts = {each["mountPath"]: each["name"] for each in pod().container("amavis")["volumeMounts"]}
    assert mounts["/var/lib/spamassassin"] == mounts["/var/lib/clamav"] == "filters"


def test_kept_mail_outlives_the_pod_and_gets_a_quarter_of_the_volume() -> None:
    (mount,) = (each for each in pod().container("amavis")["volumeMounts"] if each["mountPath"] == KEPT)
    assert (mount["name"], mount["subPath"]) == ("filters", "quarantine")
    assert pod().env("amavis")["KOLAB_QUARANTINE_BYTES"] == str(2 * 1024**3 // 4)


@pytest.mark.parametrize(("name", "score"), [("cluster", ""), ("full", "15.0")])
def test_spam_is_kept_where_the_stack_file_names_a_score(name: str, score: str) -> None:
    env = pod(name).env("amavis")
    assert (env["KOLAB_QUARANTINE_AT"], env["KOLAB_QUARANTINE_DAYS"]) == (score, "14")


def test_kept_mail_is_tidied_up_all_the_time(sandbox: Sandbox) -> None:
    image(sandbox)
    sandbox.quick_sleep()
    sandbox.command("amavisd", '[ "${@: -1}" != foreground ] || exec /bin/sleep 30')
    tidying = f"perl {entry.PATH}/quarantine.pl tidy 30 1000"
    env = REDIS | {"KOLAB_QUARANTINE_DAYS": "30", "KOLAB_QUARANTINE_BYTES": "1000"}
    with sandbox.start(script(), env=env):
        wait_for(lambda: sandbox.calls.count(tidying) >= 2)
    assert f"chown amavis:amavis {KEPT}" in sandbox.calls


def test_a_first_start_may_take_the_time_of_its_downloads() -> None:
    probe = pod().container("amavis")["startupProbe"]
    assert probe["periodSeconds"] * probe["failureThreshold"] >= 1200


def test_amavis_has_the_capabilities_that_it_was_tried_with_and_no_more() -> None:
    context = pod().container("amavis")["securityContext"]
    assert sorted(context["capabilities"]["add"]) == ["CHOWN", "DAC_OVERRIDE", "SETGID", "SETUID"]
    assert context["allowPrivilegeEscalation"] is False


@pytest.mark.parametrize(
    "name", ["APP_DOMAIN", "POSTFIX_HOST", "DKIM_IDENTIFIER", "DB_HOST", "DB_DATABASE", "DB_USERNAME"]
)
def test_no_setting_that_amavis_needs_is_empty(name: str) -> None:
    assert pod().env("amavis")[name]


def test_amavis_is_ready_when_both_of_its_ports_answer(sandbox: Sandbox) -> None:
    command = shlex.join(pod().container("amavis")["readinessProbe"]["exec"]["command"])
    inbound, originating = sandbox.port(13024), sandbox.port(13026)
    sandbox.mount(entry.PATH, deployment(SIGNED).folder("postfix", "amavis", entry.PATH))
    with talking(inbound, ["220 amavis"]), talking(originating, ["220 amavis"]):
        assert sandbox.run(command).returncode == 0
    with talking(inbound, ["220 amavis"]):
        assert sandbox.run(command).returncode != 0
