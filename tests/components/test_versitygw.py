"""Versity Gateway: the one bucket, on its volume, for the web application alone."""

from __future__ import annotations

import re
import shlex

from components import entry
from tests.support.deploy import Workload
from tests.support.sandbox import Sandbox
from tests.support.stacks import deployment


def gateway(stack: str = "single-node") -> Workload:
    return deployment(stack).workload("versitygw")


def started(sandbox: Sandbox) -> str:
    """Starts it in a volume that may be empty; returns whose files it says that these are."""
    if not sandbox.path("/data").is_dir():
        sandbox.path("/data").mkdir()
        sandbox.command("versitygw")
        sandbox.mount(entry.PATH, deployment("single-node").folder("versitygw", "versitygw", entry.PATH))
    assert sandbox.run(shlex.join(gateway().container("versitygw")["command"])).returncode == 0
    return sandbox.path("/data/identity").read_text()


def test_the_bucket_is_there_when_the_server_starts(sandbox: Sandbox) -> None:
    started(sandbox)
    assert sandbox.path("/data/objects/kolab").is_dir()
    assert [re.sub(r"/\S*/data", "/data", call) for call in sandbox.calls] == [
        "versitygw posix /data/objects"
    ]


def test_whose_files_they_are_is_decided_once(sandbox: Sandbox) -> None:
    first = started(sandbox)
    assert re.fullmatch(r"[0-9a-f-]{36}\n", first)
    assert started(sandbox) == first


def test_the_application_logs_in_with_the_servers_own_user() -> None:
    stack = deployment("single-node")
    server = gateway().env("versitygw") | stack.secret_env("versitygw", "versitygw")
    client = stack.workload("webapp").env("webapp") | stack.secret_env("webapp", "webapp")
    assert (client["AWS_ACCESS_KEY_ID"], client["AWS_SECRET_ACCESS_KEY"]) == (
        server["ROOT_ACCESS_KEY_ID"],
        server["ROOT_SECRET_ACCESS_KEY"],
    )
    assert (client["AWS_BUCKET"], client["AWS_DEFAULT_REGION"]) == ("kolab", server["VGW_REGION"])
    assert client["AWS_USE_PATH_STYLE_ENDPOINT"] == "true"


def test_files_lie_on_the_volume_and_the_rest_is_read_only() -> None:
    container = gateway().container("versitygw")
    written = [each["mountPath"] for each in container["volumeMounts"] if not each.get("readOnly")]
    assert written == ["/data"]
    assert container["securityContext"]["readOnlyRootFilesystem"] is True
    assert container["securityContext"]["capabilities"] == {"drop": ["ALL"]}


def test_nobody_but_the_application_reaches_the_files() -> None:
    assert deployment("cluster").clients("versitygw", 7070) == {"webapp", "horizon", "scheduler"}


def test_its_health_is_asked_where_no_bucket_can_be() -> None:
    container = gateway().container("versitygw")
    path = gateway().env("versitygw")["VGW_HEALTH"]
    # Names of buckets have three letters at least, and no underscore.
    assert path == "/_/health"
    for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
        assert container[probe]["httpGet"]["path"] == path


def test_without_files_or_with_another_s3_there_is_none() -> None:
    for name in ("bare", "external"):
        assert "versitygw" not in {each.daemon for each in deployment(name).workloads}
