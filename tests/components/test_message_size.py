"""The one size of messages in the stack file reaches every daemon that a message or its attachments pass."""

from __future__ import annotations

import re

import pytest

from components import entry
from model.types import bytes_of
from tests.support.deploy import Deployment, deploy
from tests.support.stacks import changed

SIZES = ("10Mi", "64Mi")
BASE64 = 4 / 3
"""What a message grows by when it travels as text."""


@pytest.fixture(scope="module", params=SIZES)
def sized(request: pytest.FixtureRequest) -> tuple[Deployment, int]:
    """A stack, and the bytes of its largest message."""
    return deploy(changed("single-node", {"mail": {"messageSizeLimit": request.param}})), bytes_of(
        request.param
    )


def script_setting(stack: Deployment, workload: str, container: str, name: str) -> int:
    [found] = re.findall(rf"(?m)^{name}=(\d+)$", stack.file(workload, container, f"{entry.PATH}/settings"))
    return int(found)


def php(stack: Deployment) -> dict[str, int]:
    text = stack.file("roundcube", "roundcube", f"{entry.PATH}/sizes.ini")
    return {name: int(value) for name, value in re.findall(r"(?m)^(\w+) = (\d+)$", text)}


def test_postfix_takes_messages_of_that_size(sized: tuple[Deployment, int]) -> None:
    stack, size = sized
    assert script_setting(stack, "postfix", "postfix", "KOLAB_MESSAGE_SIZE_LIMIT") == size


def test_nginx_takes_what_becomes_such_a_message(sized: tuple[Deployment, int]) -> None:
    stack, size = sized
    text = stack.file("proxy", "proxy", "/etc/nginx/conf.d/kolab.conf")
    [limit] = re.findall(r"(?m)^client_max_body_size (\d+);", text)
    assert int(limit) >= size * BASE64


def test_roundcube_knows_the_size_and_says_so_before_an_upload(sized: tuple[Deployment, int]) -> None:
    stack, size = sized
    env = stack.workload("roundcube").env("roundcube")
    assert env["EXTRA_CONFIG"] == f"$config['max_message_size'] = {size};"


def test_php_takes_an_attachment_of_that_size_and_has_the_memory_for_it(
    sized: tuple[Deployment, int],
) -> None:
    stack, size = sized
    limits = php(stack)
    assert limits["post_max_size"] >= limits["upload_max_filesize"] >= size * BASE64
    assert limits["memory_limit"] >= 128 * 1024**2 + 3 * size * BASE64


def test_php_reads_that_after_what_the_image_says(sized: tuple[Deployment, int]) -> None:
    stack, _ = sized
    assert stack.workload("roundcube").env("roundcube")["PHP_INI_SCAN_DIR"] == f":{entry.PATH}"


@pytest.mark.parametrize("workload", ["webapp", "horizon"])
def test_swoole_takes_a_whole_message_and_the_request_around_it(
    sized: tuple[Deployment, int], workload: str
) -> None:
    stack, size = sized
    env = stack.workload(workload).env(workload)
    assert int(env["SWOOLE_PACKAGE_MAX_LENGTH"]) > size * BASE64
    assert int(env["SWOOLE_UPLOAD_MAX_FILESIZE"]) >= size


def test_a_changed_size_does_not_migrate_the_webmail_again() -> None:
    names = {
        deploy(changed("single-node", {"mail": {"messageSizeLimit": size}}))
        .workload("roundcube-migrate")
        .name
        for size in SIZES
    }
    assert len(names) == 1
