"""Redis: the job queue is in it, so it forgets nothing."""

from __future__ import annotations

import shlex

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment


def redis(name: str = "single-node") -> Workload:
    return deployment(name).workload("redis")


def options() -> dict[str, str]:
    """Its command line: what stands there wins over the configuration file."""
    arguments = redis().container("redis")["args"]
    return dict(zip(arguments[::2], arguments[1::2], strict=True))


def test_redis_never_evicts_the_queue() -> None:
    assert options()["--maxmemory-policy"] == "noeviction"
    # This variable makes the image choose allkeys-lru, and any other with MEMORY in its name confuses it.
    assert not any("MEMORY" in name for name in redis().env("redis"))


def test_redis_refuses_writes_before_the_kernel_kills_it() -> None:
    assert redis().container("redis")["resources"]["limits"]["memory"] == "512Mi"
    assert int(options()["--maxmemory"]) == 512 * 1024**2 * 3 // 4


def test_every_job_is_on_disk() -> None:
    assert options()["--appendonly"] == "yes"


def test_the_volume_is_the_folder_that_redis_writes_into() -> None:
    # An empty volume one level up hides it, and Redis exits.
    mounts = {each["name"]: each["mountPath"] for each in redis().container("redis")["volumeMounts"]}
    assert mounts["data"] == "/var/lib/redis/data"


def test_all_readers_know_the_password() -> None:
    stack = deployment("single-node")
    for daemon in ("redis", "webapp", "horizon", "scheduler", "seed", "roundcube"):
        assert stack.secret_env(daemon, daemon)["REDIS_PASSWORD"] == stack.sentinels["redisPassword"]


@pytest.mark.parametrize(
    ("answer", "ready"), [("PONG", True), ("NOAUTH Authentication required.", False), ("", False)]
)
def test_an_answer_other_than_pong_is_no_sign_of_life(sandbox: Sandbox, answer: str, ready: bool) -> None:
    # redis-cli itself ends with 0 even then.
    sandbox.command("redis-cli", f"echo '{answer}'")
    sandbox.mount(entry.PATH, deployment("single-node").folder("redis", "redis", entry.PATH))
    command = shlex.join(redis().container("redis")["livenessProbe"]["exec"]["command"])
    done = sandbox.run(command, env={"REDIS_PASSWORD": "any"})
    assert (done.returncode == 0) is ready


def test_the_password_of_the_probe_is_on_no_command_line(sandbox: Sandbox) -> None:
    sandbox.command("redis-cli", "echo PONG")
    sandbox.mount(entry.PATH, deployment("single-node").folder("redis", "redis", entry.PATH))
    sandbox.run(
        shlex.join(redis().container("redis")["livenessProbe"]["exec"]["command"]),
        env={"REDIS_PASSWORD": "hidden"},
    )
    assert sandbox.calls == ["redis-cli ping"]


def test_there_is_never_a_second_redis_on_the_data() -> None:
    assert (redis("cluster").kind, redis("cluster").object["spec"]["replicas"]) == ("StatefulSet", 1)
