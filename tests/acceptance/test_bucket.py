"""Backups and people's files go to a bucket of S3, and its keys are exchanged while mail flows."""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.acceptance.bucket import BUCKET, HOST, PORT
from tests.acceptance.console import Console
from tests.acceptance.report import Report
from tests.acceptance.servers import serving
from tests.acceptance.stack import JANE, Stack
from tests.acceptance.streams import strangers_write
from tests.engine.program import CHECKOUT
from tests.lab.cluster import Lab
from tests.support.postfix import authority, identity, pem

pytestmark = [
    # Several updates with mail all the while: too long for what runs before every change.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("restic", "imap", "postfix"),
    pytest.mark.usefixtures("stranger"),
]

_GIVEN_UP = {
    "rule": "data-delete",
    "subject": "versitygw-data",
    "reason": "files go to a provider from now on",
}
_LEAST = 50
"""Messages that a stranger hands over meanwhile."""


@dataclass
class Bucket:
    """A provider's bucket, and who asked it."""

    folder: Path
    access: str = field(default_factory=lambda: f"AKIA{secrets.token_hex(8).upper()}")
    secret: str = field(default_factory=lambda: f"S3/{secrets.token_hex(15)}+key=")

    def renew(self) -> None:
        """Another pair; the one of before ends."""
        self.access, self.secret = (made := Bucket(self.folder)).access, made.secret
        self.store()

    def store(self) -> None:
        """Lets in whoever signs with this pair, from now on."""
        (self.folder / "login").write_text(f"{self.access}:{self.secret}")

    def seen(self) -> list[tuple[str, bool]]:
        """The access key of each request, and whether its signature was right."""
        lines = (self.folder / "seen").read_text().split("\n")[:-1]
        return [(each["key"], each["right"]) for each in map(json.loads, lines)]


@dataclass(frozen=True)
class Rotated:
    """Backups before the update that brought the new pair, and what had been asked of the bucket until it was over."""

    bucket: Bucket
    console: Console
    before: list[str]
    asked: int
    old: str
    stored: dict[str, int]
    """Daemon -> what the bucket said before to a file that was signed with the pair which its container has."""
    acknowledged: set[str]


@pytest.fixture(scope="module")
def rotated(
    stack: Stack, own_lab: Lab, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Rotated]:
    """Both keys in one update, after the old ones have ended: the worst order."""
    before, by = stack.program.config(), authority()
    bucket = Bucket(tmp_path_factory.mktemp("bucket"))
    console = Console(stack, tmp_path_factory.mktemp("console"))
    (bucket.folder / "identity.pem").write_text(identity(by, HOST))
    (bucket.folder / "seen").write_text("")
    bucket.store()
    with _from_everywhere(stack, own_lab), serving(stack, "bucket", bucket.folder):
        repository = {
            "kind": "s3",
            "endpoint": f"https://{HOST}:{PORT}",
            "bucket": BUCKET,
            "networks": f"{own_lab.internet.address}/32",
            "authorities": pem(by),
        }
        # What was kept here is given up. The exception is there before the change that it is for.
        stack.program.change({"acknowledge": [*(before.get("kolab:acknowledge") or []), _GIVEN_UP]})
        stack.apply()
        files = {"endpoint": repository["endpoint"], "bucket": BUCKET, "cidr": repository["networks"]}
        stack.program.change({"backup": {"repository": repository, "drill": "never"}, "external.s3": files})
        _bring(stack, bucket, tmp_path_factory.mktemp("old"))
        stack.apply()
        console.says("backup", "now", "mail")
        kept, stored = _kept(console), _stored(stack, bucket)
        old = bucket.access
        bucket.renew()
        with strangers_write(stack, JANE, tmp_path_factory.mktemp("meanwhile") / "enough", _LEAST) as taken:
            _bring(stack, bucket, tmp_path_factory.mktemp("new"), rotate=True)
            with report.timed("an update that rotates the keys of the bucket for backups"):
                stack.apply()
        yield Rotated(bucket, console, kept, len(bucket.seen()), old, stored, taken)
    stack.apply()


@contextmanager
def _from_everywhere(stack: Stack, own_lab: Lab) -> Iterator[None]:
    """Mail leaves from one node alone, backups from wherever their pods are. Afterwards the stack file says what it said before:
    no later update may wait for a bucket that is gone."""
    before = stack.program.config()
    own_lab.set_egress(own_lab.settings.egress)
    try:
        stack.publish()
        yield
    finally:
        stack.program.write(before)
        own_lab.set_egress(stack.egress)


def _bring(stack: Stack, bucket: Bucket, folder: Path, *, rotate: bool = False) -> None:
    """Stores the pair in the stack file, for backups and for files, and makes what else is missing, or counts its rotation."""
    pair = {
        f"{what}{key}": value
        for what in ("backup", "s3")
        for key, value in (("AccessKey", bucket.access), ("SecretKey", bucket.secret))
    }
    for key, value in pair.items():
        (folder / key).write_text(value)
    rest = ("--from", str(folder), "--stack", stack.program.stack)
    if not rotate:
        stack.program.ops("secrets", *rest)
        return
    for key, value in pair.items():
        alone = folder / f"only-{key}"
        alone.mkdir()
        (alone / key).write_text(value)
        stack.program.ops("secrets", "rotate", key, "--from", str(alone), *rest[2:])


def _kept(console: Console) -> list[str]:
    return [each["id"] for each in console.data("backup", "list") if each["engine"] == "mail"]


def _stored(stack: Stack, bucket: Bucket) -> dict[str, int]:
    """Daemon of the application -> what the bucket says to a file that is signed with the pair which its container has."""
    assert isinstance(stack.lab, Lab)
    found = {}
    for daemon in ("webapp", "horizon"):
        pod, names = stack.pod(daemon), ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY")
        pair = stack.kubectl("exec", pod, "-c", daemon, "--", "printenv", *names).split()
        assert pair == [bucket.access, bucket.secret]
        line = ["env", f"PYTHONPATH={CHECKOUT}", sys.executable, "-m", "tests.support.s3"]
        steps = [["PUT", f"{BUCKET}/files/{daemon}", "what somebody wrote", {}]]
        line += [stack.lab.internet.address, str(PORT), *pair, json.dumps(steps), "tls"]
        (answer,) = json.loads(stack.in_pod(pod, line))
        found[daemon] = answer["status"]
    return found


@pytest.mark.rotates("s3AccessKey", "s3SecretKey")
def test_the_application_has_the_new_pair_for_files_and_the_bucket_lets_it_in(
    stack: Stack, rotated: Rotated
) -> None:
    everywhere = dict.fromkeys(("webapp", "horizon"), 200)
    assert rotated.stored == everywhere
    assert _stored(stack, rotated.bucket) == everywhere


@pytest.mark.rotates("backupAccessKey", "backupSecretKey")
def test_backups_go_on_with_the_new_pair_and_nobody_shows_the_old_one(rotated: Rotated) -> None:
    rotated.console.says("backup", "now", "mail")
    assert {*_kept(rotated.console)} > {*rotated.before}
    assert {*rotated.bucket.seen()[rotated.asked :]} == {(rotated.bucket.access, True)}


def test_until_then_the_bucket_let_the_old_pair_in(rotated: Rotated) -> None:
    assert (rotated.old, True) in rotated.bucket.seen()[: rotated.asked]


def test_no_message_that_was_accepted_meanwhile_is_lost(stack: Stack, rotated: Rotated) -> None:
    assert len(rotated.acknowledged) >= _LEAST
    stack.arrived(JANE, rotated.acknowledged)
