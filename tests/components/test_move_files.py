"""Files on their way from MinIO to Versity Gateway: who serves, who copies, and what waits for it."""

from __future__ import annotations

import functools

import pytest

from tests.support.deploy import Deployment, deploy
from tests.support.stacks import changed, deployment


@functools.cache
def stage(engine: str) -> Deployment:
    return deploy(changed("moving", {"files": {"engine": engine}}))


def daemons(stack: Deployment) -> set[str]:
    return {each.daemon for each in stack.workloads} & {"minio", "versitygw", "move-files"}


@pytest.mark.parametrize("engine", ["minio-to-versitygw", "versitygw-from-minio"])
def test_while_files_move_both_servers_run_and_one_copies(engine: str) -> None:
    assert daemons(stage(engine)) == {"minio", "versitygw", "move-files"}


def test_a_stack_that_has_minio_and_says_nothing_keeps_it() -> None:
    assert daemons(deploy(changed("moving", {"files": None}))) == {"minio"}


def test_pages_are_led_to_the_gateway_by_the_second_stage_alone() -> None:
    assert stage("minio-to-versitygw").workload("webapp").env("webapp")["FILESYSTEM_DISK"] == "minio"
    after = stage("versitygw-from-minio").workload("webapp").env("webapp")
    assert (after["FILESYSTEM_DISK"], after["AWS_ENDPOINT"]) == ("s3", "http://versitygw:7070")


def test_only_then_pages_wait_until_all_is_copied() -> None:
    """Whatever touches the application comes after the dump, which comes after the copy."""
    waits = {
        engine: any(
            "move-files-pods" in each for each in _dependencies(stage(engine), "before-migration-job")
        )
        for engine in ("minio-to-versitygw", "versitygw-from-minio")
    }
    assert waits == {"minio-to-versitygw": False, "versitygw-from-minio": True}


def test_what_copies_reaches_both_servers_and_nobody_else() -> None:
    stack = deployment("moving")
    assert stack.clients("minio", 9000) == {"webapp", "horizon", "scheduler", "move-files"}
    assert stack.clients("versitygw", 7070) == {"move-files"}


def test_what_copies_knows_the_users_of_both_servers() -> None:
    stack = deployment("moving")
    known = stack.workload("move-files").env("move-files") | stack.secret_env("move-files", "move-files")
    old = stack.workload("minio").env("minio") | stack.secret_env("minio", "minio")
    new = stack.workload("versitygw").env("versitygw") | stack.secret_env("versitygw", "versitygw")
    assert (known["RCLONE_CONFIG_OLD_ACCESS_KEY_ID"], known["RCLONE_CONFIG_OLD_SECRET_ACCESS_KEY"]) == (
        old["MINIO_ROOT_USER"],
        old["MINIO_ROOT_PASSWORD"],
    )
    assert (known["RCLONE_CONFIG_NEW_ACCESS_KEY_ID"], known["RCLONE_CONFIG_NEW_SECRET_ACCESS_KEY"]) == (
        new["ROOT_ACCESS_KEY_ID"],
        new["ROOT_SECRET_ACCESS_KEY"],
    )
    assert known["RCLONE_CONFIG_NEW_REGION"] == new["VGW_REGION"]


@pytest.mark.parametrize(
    ("engine", "tag"), [("minio-to-versitygw", "files"), ("versitygw-from-minio", "objects")]
)
def test_a_restore_writes_to_whoever_serves(engine: str, tag: str) -> None:
    (container,) = stage(engine).workload("restore-files").containers
    assert container["command"][-1] == tag
    (claim,) = (
        each["persistentVolumeClaim"]["claimName"]
        for each in stage(engine).workload("restore-files").pod["volumes"]
        if "persistentVolumeClaim" in each
    )
    assert claim == ("minio-data" if tag == "files" else "versitygw-data")


def _dependencies(stack: Deployment, name: str) -> list[str]:
    (found,) = (each for each in stack.resources if each.name == name)
    return [str(each) for each in found.dependencies]
