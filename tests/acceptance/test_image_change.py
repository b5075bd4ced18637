"""An image that does not fit is refused before a running pod stops, and a harmless change of one rolls out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from tests.acceptance.report import Report
from tests.acceptance.stack import JANE, Stack
from tests.acceptance.watching import identities, refusals, watched
from tests.lab.cluster import Lab
from tests.lab.images.contract import B_TAG, LAB_TAG
from tests.lab.images.mutated import mutated
from tests.lab.images.places import RECIPES

pytestmark = [
    # Each waits for whole updates: too long for what runs before every change.
    pytest.mark.images,
    pytest.mark.mode("single-node"),
    pytest.mark.usefixtures("stranger"),
    pytest.mark.proves("proxy", "imap", "postfix"),
]

_NEXT = {
    "proxy": ("exec nginx -g", "exec nginx-next -g"),
    "imap": ("/usr/libexec/master", "/usr/libexec/cyrus-master"),
    "postfix": ("exec /usr/sbin/postfix", "exec /usr/sbin/postfix-next"),
}
"""Daemon -> how the next image's init starts it: by a name that nobody here has heard of."""


def init(daemon: str) -> str:
    return (RECIPES / daemon / "rootfs/init.sh").read_text()


def brought(lab: Lab, daemon: str, text: str, folder: Path) -> str:
    """The digest of an image with another init, once every node has it."""
    tar, digest = mutated(daemon, {"init.sh": text}, folder)
    lab.load_image(tar)
    return digest


def test_images_that_do_not_fit_leave_mail_running_and_say_why(
    stack: Stack, own_lab: Lab, report: Report, tmp_path: Path
) -> None:
    digests = {
        daemon: brought(own_lab, daemon, init(daemon).replace(*change), tmp_path)
        for daemon, change in _NEXT.items()
    }
    before = identities(stack, *_NEXT)
    with watched(stack, tmp_path) as watch:
        stack.program.change({"images.digests": digests})
        with report.timed("an update with images that do not fit, until it is refused"):
            # Without that the update ends with whichever is refused first.
            refused = stack.up("--continue-on-error")
        assert refused.code != 0
        said = refusals(refused)
        for daemon in _NEXT:
            why = r"entry: .*: (it|the image) differs from the one"
            assert re.search(why, said.get(daemon, "")), refused.output
        stack.accepted(JANE, "while-images-do-not-fit")
        stack.inbox(JANE, "while-images-do-not-fit")
    assert identities(stack, *_NEXT) == before
    for port, (longest, _) in watch.silences().items():
        assert longest < watch.allowed(), port
    # The way back: no pod is touched by it either.
    stack.program.change({"images.digests": None})
    back = stack.up()
    assert back.code == 0, back.errors or back.output
    assert identities(stack, *_NEXT) == before


def test_an_image_that_fits_replaces_the_pods_of_its_daemon_alone(
    stack: Stack, own_lab: Lab, tmp_path: Path
) -> None:
    digest = brought(own_lab, "postfix", f"{init('postfix')}\n# the next one\n", tmp_path)
    others = identities(stack, "proxy", "imap")
    old = identities(stack, "postfix")
    stack.program.change({"images.digests": {"postfix": digest}})
    done = stack.up()
    assert done.code == 0, done.errors or done.output
    stack.wait_ready()
    assert not old & identities(stack, "postfix")
    assert identities(stack, "proxy", "imap") == others
    stack.accepted(JANE, "by-the-next-image")
    stack.inbox(JANE, "by-the-next-image")


def test_a_stack_goes_to_the_newer_generation_and_back_with_its_mail_users_and_files(
    stack: Stack, own_lab: Lab, report: Report, tmp_path: Path
) -> None:
    del own_lab
    drive = ("exec", stack.pod("versitygw"), "-c", "versitygw", "--", "/bin/sh", "-c")
    stack.kubectl(*drive, "echo of-generation-a > /data/kept")
    told = ["of generation A"]
    stack.accepted(JANE, told[0])
    stack.inbox(JANE, told[0])
    for tag, newcomer in ((B_TAG, "bea@example.org"), (LAB_TAG, "ann@example.org")):
        stack.program.change({"images.tag": tag, "images.digests": None})
        with watched(stack, tmp_path) as watch, report.timed(f"an update to images of {tag}"):
            done = stack.up()
            assert done.code == 0, done.errors or done.output
            stack.wait_ready()
        for port, (longest, every) in watch.silences().items():
            report.note(f"longest silence of port {port} in an update to {tag} (seconds)", longest)
            report.note(f"all silences of port {port} in an update to {tag} together (seconds)", every)
        running = {
            container["image"]
            for pod in stack.pods()
            for container in pod["spec"]["containers"]
            if "/kolab/" in container["image"]
        }
        assert {each.rpartition(":")[2] for each in running} == {tag}
        # Old accounts and mail are there, and new ones come.
        stack.add_user(newcomer)
        told.append(f"after {tag}")
        for recipient in (JANE, newcomer):
            stack.accepted(recipient, told[-1])
        assert set(told[:-1]) <= set(stack.subjects(JANE))
        for recipient in (JANE, newcomer):
            stack.inbox(recipient, told[-1])
        drive = ("exec", stack.pod("versitygw"), "-c", "versitygw", "--", "/bin/sh", "-c")
        assert stack.kubectl(*drive, "cat /data/kept").strip() == "of-generation-a"
    # Who came with the newer images is there with the older ones.
    assert told[1] in stack.subjects("bea@example.org")
