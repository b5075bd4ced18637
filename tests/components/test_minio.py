"""MinIO: the one bucket, on its volume."""

from __future__ import annotations

import shlex

import pytest

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment


def minio() -> Workload:
    return deployment("moving").workload("minio")


def test_the_bucket_is_there_when_the_server_starts(sandbox: Sandbox) -> None:
    sandbox.path("/data").mkdir()
    sandbox.command("minio")
    sandbox.mount(entry.PATH, deployment("moving").folder("minio", "minio", entry.PATH))
    assert sandbox.run(shlex.join(minio().container("minio")["command"])).returncode == 0
    assert sandbox.path("/data/kolab").is_dir()
    assert sandbox.calls == ["minio server /data --address :9000"]


@pytest.mark.rotates("minioPassword")
def test_the_application_logs_in_with_the_servers_own_user() -> None:
    stack = deployment("moving")
    server = minio().env("minio") | stack.secret_env("minio", "minio")
    client = stack.workload("webapp").env("webapp") | stack.secret_env("webapp", "webapp")
    assert (client["MINIO_USER"], client["MINIO_PASSWORD"]) == (
        server["MINIO_ROOT_USER"],
        server["MINIO_ROOT_PASSWORD"],
    )
    assert client["MINIO_BUCKET"] == "kolab"


def test_files_lie_on_the_volume_and_the_rest_is_read_only() -> None:
    container = minio().container("minio")
    written = [each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")]
    assert written == ["/data"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True


def test_nobody_but_the_application_reaches_the_files() -> None:
    assert deployment("moving").clients("minio", 9000) == {"webapp", "horizon", "scheduler", "move-files"}


def test_without_files_or_with_an_s3_or_the_gateway_there_is_none() -> None:
    for name in ("bare", "external", "single-node"):
        assert "minio" not in {each.daemon for each in deployment(name).workloads}
