"""Entry scripts, run by a real bash: every adjustment takes, or the container says why it does not start."""

from __future__ import annotations

import pytest

from components import entry
from components.entry import Replace, Watch
from tests.support.sandbox import PATIENCE, Sandbox, wait_for

INIT = """\
#!/bin/bash
set -e
echo first
    echo "indented $VALUE"
exec echo last "$@"
"""
INDENTED = '    echo "indented $VALUE"'


def run(sandbox: Sandbox, *adjustments: Replace, init: str = INIT, arguments: tuple[str, ...] = ()):
    """Runs an entry script for `init`."""
    sandbox.put("/init.sh", init)
    return sandbox.run(entry.script("/init.sh", adjustments, arguments=arguments), env={"VALUE": "7"})


def test_an_adjustment_that_matches_runs_in_place_of_its_line(sandbox: Sandbox) -> None:
    done = run(sandbox, Replace(INDENTED, 'echo "replaced $VALUE"'))
    assert (done.returncode, done.stdout) == (0, "first\nreplaced 7\nlast\n")


def test_a_missing_line_stops_the_container_with_a_sentence(sandbox: Sandbox) -> None:
    done = run(sandbox, Replace("echo second", "echo other"))
    assert (done.returncode, done.stdout) == (70, "")
    assert done.stderr == (
        "entry: expected 1 line(s) 'echo second' in /tmp/kolab-init.sh, found 0:"
        " the image differs from the one this stack was made for\n"
    )


def test_a_line_that_occurs_too_often_stops_the_container(sandbox: Sandbox) -> None:
    done = run(sandbox, Replace("echo first", "echo other"), init=INIT.replace("set -e", "echo first"))
    assert (done.returncode, done.stdout) == (70, "")
    assert "found 2" in done.stderr


def test_as_many_lines_as_expected_are_all_replaced(sandbox: Sandbox) -> None:
    done = run(
        sandbox, Replace("echo same", "echo new", times=2), init="echo same\necho between\necho same\n"
    )
    assert done.stdout == "new\nbetween\nnew\n"


def test_a_line_is_never_matched_by_a_part_of_it(sandbox: Sandbox) -> None:
    assert run(sandbox, Replace(INDENTED.strip(), "echo other")).returncode == 70


def test_the_original_init_is_left_as_it_is(sandbox: Sandbox) -> None:
    run(sandbox, Replace("echo first", "echo other"))
    assert sandbox.text("/init.sh") == INIT


@pytest.mark.parametrize("text", ["a & b", r"a\1 \n b", "a|b", "it's", '"quoted"', "*", "$VALUE", "%s", "-n"])
def test_characters_that_sed_would_read_stay_what_they_are(sandbox: Sandbox, text: str) -> None:
    sandbox.put("/etc/daemon.conf", f"before\n{text}\nafter\n")
    change = entry.replace_in("/etc/daemon.conf", Replace(text, f"<{text}>"))
    done = run(sandbox, Replace("echo first", change))
    assert (done.returncode, sandbox.text("/etc/daemon.conf")) == (0, f"before\n<{text}>\nafter\n")


def test_a_last_line_without_its_newline_is_not_lost(sandbox: Sandbox) -> None:
    sandbox.put("/etc/daemon.conf", "first\nlast")
    run(sandbox, Replace("echo first", entry.replace_in("/etc/daemon.conf", Replace("last", "changed"))))
    assert sandbox.text("/etc/daemon.conf") == "first\nchanged\n"


def test_an_adjusted_file_keeps_its_owner_and_mode(sandbox: Sandbox) -> None:
    file = sandbox.put("/etc/daemon.conf", "first\n", mode=0o640)
    before = file.stat()
    run(sandbox, Replace("echo first", entry.replace_in("/etc/daemon.conf", Replace("first", "changed"))))
    after = file.stat()
    assert (after.st_mode, after.st_ino) == (before.st_mode, before.st_ino)


def test_a_file_that_the_image_does_not_have_stops_the_container(sandbox: Sandbox) -> None:
    done = run(sandbox, Replace("echo first", entry.replace_in("/etc/gone.conf", Replace("a", "b"))))
    assert done.returncode == 70
    assert "/etc/gone.conf is not in this image" in done.stderr


def test_an_image_without_its_init_stops_with_a_sentence(sandbox: Sandbox) -> None:
    done = sandbox.run(entry.script("/init.sh", []))
    assert (done.returncode, done.stderr) == (70, "entry: /init.sh is not in this image\n")


def test_the_inits_own_failure_is_the_containers(sandbox: Sandbox) -> None:
    done = run(sandbox, Replace("echo first", "(exit 9)"))
    assert (done.returncode, done.stdout) == (9, "")


def test_an_init_may_use_variables_that_are_not_set(sandbox: Sandbox) -> None:
    assert run(sandbox, init='echo "<$NOT_SET>"\nfalse\necho on\n').stdout == "<>\non\n"


def test_the_init_keeps_the_process_id_of_the_container(sandbox: Sandbox) -> None:
    # Signals reach process 1 only; an init below a shell would never see SIGTERM.
    sandbox.put("/init.sh", "exec /bin/bash -c 'echo $$'\n")
    with sandbox.start(entry.script("/init.sh", [])) as process:
        process.wait(PATIENCE)
    assert int(sandbox.out) == process.pid


def test_arguments_reach_the_init(sandbox: Sandbox) -> None:
    assert run(sandbox, arguments=("shell", "a b")).stdout.endswith("last shell a b\n")


def test_a_quiet_init_does_not_trace_its_passwords(sandbox: Sandbox) -> None:
    done = run(sandbox, entry.QUIET, init='set -x\nPASSWORD=hidden\necho "$PASSWORD" > /dev/null\n')
    assert "hidden" not in done.stdout + done.stderr


def watching(sandbox: Sandbox, then: str, init: str = "exec /bin/sleep 300\n") -> str:
    """An entry script for `init` that does `then` for each new certificate."""
    sandbox.quick_sleep()
    for name in ("tls.crt", "tls.key"):
        sandbox.put(f"/kolab/certificate/{name}", "old")
    sandbox.put("/init.sh", f"set -e\n{init}")
    return entry.script("/init.sh", [], watch=Watch("/kolab/certificate", then))


def watch(sandbox: Sandbox, then: str, lines: int) -> list[str]:
    """What `then` wrote after a new certificate, once there were so many lines; none without a new one."""
    log = sandbox.put("/tmp/log", "")
    with sandbox.start(watching(sandbox, then)):
        # It has seen the old one when it sleeps.
        wait_for(lambda: sandbox.calls)
        if lines:
            sandbox.renew("/kolab/certificate/tls.crt", "new")
            wait_for(lambda: len(log.read_text().splitlines()) >= lines)
        turns = len(sandbox.calls)
        wait_for(lambda: len(sandbox.calls) > turns + 2)
    return log.read_text().splitlines()


def test_a_renewed_certificate_is_acted_upon_once(sandbox: Sandbox) -> None:
    assert watch(sandbox, "echo reload >> /tmp/log", lines=1) == ["reload"]


def test_nothing_happens_while_the_certificate_stays(sandbox: Sandbox) -> None:
    assert watch(sandbox, "echo reload >> /tmp/log", lines=0) == []


def test_a_reload_that_fails_is_tried_again(sandbox: Sandbox) -> None:
    assert watch(sandbox, "echo reload >> /tmp/log; [ $(wc -l < /tmp/log) -ge 3 ]", lines=3) == ["reload"] * 3


def test_a_renewal_while_the_daemon_starts_is_not_missed(sandbox: Sandbox) -> None:
    # Inits copy the certificate first and then take their time: owners of a whole spool, a first import.
    used = "cat /kolab/certificate/tls.crt > /tmp/used"
    init = f"{used}\nuntil [ -e /tmp/started ]; do /bin/sleep 0.02; done\nexec /bin/sleep 300\n"
    with sandbox.start(watching(sandbox, f"[ -e /tmp/started ] && {used}", init)):
        wait_for(sandbox.path("/tmp/used").exists)
        sandbox.renew("/kolab/certificate/tls.crt", "new")
        turns = len(sandbox.calls)
        wait_for(lambda: len(sandbox.calls) > turns + 2)
        sandbox.put("/tmp/started", "")
        wait_for(lambda: sandbox.text("/tmp/used") == "new")
