"""Entry scripts, run by a real bash: every adjustment takes, or the container says why it does not start."""

from __future__ import annotations

import ast
import re
import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from components import entry
from tests.support.sandbox import PATIENCE, Sandbox, wait_for
from tests.support.stacks import deployment

INIT = """\
#!/bin/bash
set -e
echo first
exec echo last "$@"
"""
COMPONENTS = Path(entry.__file__).parent


def script(sandbox: Sandbox, *calls: str, arguments: tuple[str, ...] = ()) -> str:
    """An entry script that makes `calls` and then runs /init.sh."""
    sandbox.put(f"{entry.PATH}/adjust.sh", entry.scripts("imap")["adjust.sh"])
    return "\n".join(
        [f"source {entry.PATH}/adjust.sh", *calls, shlex.join(["run_init", "/init.sh", *arguments])]
    )


def run(sandbox: Sandbox, *calls: str, init: str = INIT, arguments: tuple[str, ...] = ()) -> Any:
    """Runs an entry script for `init`."""
    sandbox.put("/init.sh", init)
    return sandbox.run(script(sandbox, *calls, arguments=arguments))


def test_an_image_without_its_init_stops_with_a_sentence(sandbox: Sandbox) -> None:
    done = sandbox.run(script(sandbox))
    assert (done.returncode, done.stderr) == (70, "entry: /init.sh is not in this image\n")


def test_the_inits_own_failure_is_the_containers(sandbox: Sandbox) -> None:
    done = run(sandbox, init="set -e\n(exit 9)\necho on\n")
    assert (done.returncode, done.stdout) == (9, "")


def test_an_init_may_use_variables_that_are_not_set(sandbox: Sandbox) -> None:
    assert run(sandbox, init='echo "<$NOT_SET>"\nfalse\nexec echo on\n').stdout == "<>\non\n"


def test_the_init_keeps_the_process_id_of_the_container(sandbox: Sandbox) -> None:
    # Signals reach process 1 only; an init below a shell would never see SIGTERM.
    sandbox.put("/init.sh", "exec /bin/bash -c 'echo $$'\n")
    with sandbox.start(script(sandbox)) as process:
        process.wait(PATIENCE)
    assert int(sandbox.out) == process.pid


def test_arguments_reach_the_init(sandbox: Sandbox) -> None:
    assert run(sandbox, arguments=("shell", "a b")).stdout.endswith("last shell a b\n")


def hand_over(sandbox: Sandbox, init: str, task: str = "", calls: Sequence[str] = ()) -> Any:
    """Runs an image's init whose daemon is served by a script that tells its command line and its process id."""
    sandbox.put(f"{entry.PATH}/adjust.sh", entry.scripts("imap")["adjust.sh"])
    sandbox.put(f"{entry.PATH}/start.sh", 'echo "start $* as $$"\nrehearsed\nexec echo adjusted\n')
    sandbox.put("/init.sh", init)
    sandbox.command("/usr/sbin/served", "echo unadjusted")
    calls = [
        f"source {entry.PATH}/adjust.sh",
        *calls,
        f"at_daemon {entry.PATH}/start.sh served /usr/sbin/served -- check '-* *test'",
        "run_init /init.sh one",
    ]
    return sandbox.run("\n".join(calls), env={"KOLAB_TASK": task})


@pytest.mark.parametrize(
    "line",
    [
        "exec served -f",
        "exec /usr/sbin/served -f",
        '   exec   runuser -u "somebody" -- /usr/sbin/served -f',
        "served -f",
        "/usr/sbin/served -f",
        "if true; then exec env A=b served -f; fi",
        "nice -n 5 served -f",
        "env A=b runuser -u somebody -- /usr/sbin/served -f",
        "set -x\nexec served -f",
        "timeout 5 served -f",
        "fail() { :; }; warn() { :; }; rehearsed() { :; }; source() { :; }; exec served -f",
        "kolab() { :; }; printf() { :; }; unset() { :; }; exec served -f",
        "IFS=$'\\n\\t'; exec served -f",
        "set -ufCE; shopt -s nullglob extglob; trap 'echo error' ERR; trap 'echo exit' EXIT; exec served -f",
    ],
)
def test_an_init_hands_over_however_its_last_line_is_written(sandbox: Sandbox, line: str) -> None:
    done = hand_over(sandbox, f"set -e\necho first $1\n{line}\necho never\n")
    assert done.returncode == 0, done.stderr
    first, start, last = done.stdout.splitlines()
    assert (first, last) == ("first one", "adjusted")
    assert re.fullmatch(r"start .*served -f as \d+", start)


@pytest.mark.parametrize(
    "line", ["exec served", "exec served || exit 1", "if ! exec served; then exit 1; fi"]
)
def test_an_adjustment_that_fails_stops_the_container_however_the_daemon_was_called(
    sandbox: Sandbox, line: str
) -> None:
    # Bash overlooks every failure in what belongs to a condition, `set -e` or not.
    done = hand_over(sandbox, f"printf 'false\\nexec echo adjusted' > {entry.PATH}/start.sh\n{line}\n")
    assert (done.returncode, done.stdout) == (1, "")


def test_the_script_that_takes_over_is_the_container(sandbox: Sandbox) -> None:
    # Signals reach process 1 only.
    done = hand_over(sandbox, "echo $$\nexec served\n")
    assert done.stdout.splitlines()[1] == f"start served as {done.stdout.splitlines()[0]}"


@pytest.mark.parametrize(
    ("line", "why"),
    [
        ("exec other -f", "hands over to 'other -f', not to served /usr/sbin/served"),
        ("exec /usr/sbin/served-ng", "hands over to '/usr/sbin/served-ng'"),
        ("true", "/init.sh ended without its daemon"),
        ("exec 3> /tmp/file", "redirects itself"),
        ("exec /usr/sbin/served check", ""),
    ],
)
def test_a_daemon_that_is_not_adjusted_never_runs(sandbox: Sandbox, line: str, why: str) -> None:
    done = hand_over(sandbox, f"{line}\n")
    assert "unadjusted" not in done.stdout
    assert why in done.stderr
    assert (done.returncode == 70) == bool(why)


def test_an_init_that_has_functions_of_our_names_is_refused_all_the_same(sandbox: Sandbox) -> None:
    script = "printf 'fail because; rehearsed; exec echo adjusted' > /kolab/entry/start.sh\n"
    done = hand_over(sandbox, f"{script}fail() {{ :; }}\nrehearsed() {{ :; }}\nexec served\n")
    assert (done.returncode, done.stderr) == (70, "entry: because\n")


def test_an_init_with_its_own_fail_cannot_hand_over_to_another_daemon(sandbox: Sandbox) -> None:
    done = hand_over(sandbox, "fail() { :; }\nexec other -f\n")
    assert (done.returncode, "hands over to 'other -f'" in done.stderr) == (70, True)


@pytest.mark.parametrize("wait", ["wait", "wait $!; exit $?", "wait -n"])
def test_a_daemon_beside_its_init_is_refused_and_nobody_waits_for_ever(sandbox: Sandbox, wait: str) -> None:
    for name in ("tls.crt", "tls.key"):
        sandbox.put(f"/kolab/certificate/{name}", "")
    done = hand_over(sandbox, f"served -f &\n{wait}\n", calls=["on_renewal /kolab/certificate true"])
    assert "starts 'served -f' beside itself" in done.stderr
    assert done.returncode == 70


@pytest.mark.parametrize("end", ["exit 0", "exit", "true && exit"])
def test_an_init_that_ends_without_its_daemon_is_refused(sandbox: Sandbox, end: str) -> None:
    done = hand_over(sandbox, f"true\n{end}\n", task="rehearse")
    assert (done.returncode, "/init.sh ended without its daemon" in done.stderr) == (70, True)


def test_an_init_that_fails_is_named(sandbox: Sandbox) -> None:
    done = hand_over(sandbox, "set -e\n(exit 78)\n")
    assert (done.returncode, "/init.sh ended with 78 before its daemon" in done.stderr) == (78, True)


@pytest.mark.parametrize(
    ("text", "left"),
    [
        ("host: APP_DOMAIN", "APP_DOMAIN"),
        ("# see KOLAB_DOCS\nhost: one", ""),
        ('  # A_B\n  cmd="env TZ_DIR=/x prune"', ""),
        ('cmd="expire -D EXPIRY_DELAY" at=1', "EXPIRY_DELAY"),
        ("uri: http://APP_HOST:APP_PORT/", "APP_HOST"),
        ("cmd=$HOME_DIR", ""),
    ],
)
def test_what_an_image_left_to_be_filled_in_is_a_word_of_its_own(
    sandbox: Sandbox, text: str, left: str
) -> None:
    sandbox.put("/etc/file", f"{text}\n")
    sandbox.put(f"{entry.PATH}/adjust.sh", entry.scripts("imap")["adjust.sh"])
    done = sandbox.run(f"source {entry.PATH}/adjust.sh\nunfilled /etc/file\n")
    assert (done.returncode, done.stdout.strip()) == (0, left)


@pytest.mark.parametrize(
    "look",
    [
        "served check",
        "/usr/sbin/served check",
        "/usr/sbin/served -q test",
        "runuser -u somebody -- served check",
        "IFS=; served -q test",
    ],
)
def test_an_init_may_look_at_its_configuration(sandbox: Sandbox, look: str) -> None:
    sandbox.command("served", "echo looked")
    sandbox.command("runuser", "echo looked")
    done = hand_over(sandbox, f"{look}\nexec served -f\n")
    assert done.stdout.splitlines()[0] in {"looked", "unadjusted"}
    assert done.stdout.splitlines()[-1] == "adjusted"


def test_an_init_never_traces_its_passwords(sandbox: Sandbox) -> None:
    done = hand_over(sandbox, 'set -x\nPASSWORD=hidden\nset -ex\ntest -n "$PASSWORD"\nexec served\n')
    assert done.returncode == 0
    assert "hidden" not in done.stdout + done.stderr


def test_a_rehearsal_ends_before_the_daemon(sandbox: Sandbox) -> None:
    done = hand_over(sandbox, "exec served\n", task="rehearse")
    assert done.returncode == 0
    assert "adjusted" not in done.stdout
    assert "rehearsed" in done.stdout


def test_a_script_that_does_not_start_its_daemon_says_so(sandbox: Sandbox) -> None:
    done = hand_over(sandbox, f"echo true > {entry.PATH}/start.sh\nexec served\n")
    assert (done.returncode, "did not start served" in done.stderr) == (70, True)


def watching(sandbox: Sandbox, then: str, init: str = "exec /bin/sleep 300\n") -> str:
    """An entry script for `init` that does `then` for each new certificate."""
    sandbox.quick_sleep()
    for name in ("tls.crt", "tls.key"):
        sandbox.put(f"/kolab/certificate/{name}", "old")
    sandbox.put("/init.sh", f"set -e\n{init}")
    return script(sandbox, f"renewed() {{ {then}; }}", "on_renewal /kolab/certificate renewed")


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


@pytest.mark.parametrize(
    "value", ["plain", "", "it's", "$(touch /tmp/ran)", "`touch /tmp/ran`", "a b; c", "two\nlines"]
)
def test_data_reaches_a_script_as_it_is_and_is_never_run(sandbox: Sandbox, value: str) -> None:
    files = entry.files("imap", {"KOLAB_VALUE": value})
    sandbox.put(f"{entry.PATH}/settings", files[entry.SETTINGS])
    done = run(sandbox, 'printf %s "$KOLAB_VALUE" > /tmp/value')
    assert (done.returncode, sandbox.text("/tmp/value")) == (0, value)
    assert not sandbox.path("/tmp/ran").exists()


@pytest.mark.parametrize("name", ["DB_HOST", "PATH", "KOLAB_a", "KOLAB_X;id"])
def test_data_never_takes_the_name_of_a_variable_of_the_image(name: str) -> None:
    with pytest.raises(ValueError, match="settings of scripts are called KOLAB_"):
        entry.files("imap", {name: "value"})


@pytest.mark.parametrize("name", ["single-node", "cluster", "full", "external", "bare"])
def test_no_container_runs_program_text(name: str) -> None:
    """Text on a command line is checked by nobody: no shellcheck sees it, and data in it are run."""
    shells = {"sh", "bash", "node", "python", "python3", "perl"}
    for workload in deployment(name).workloads:
        for container in workload.containers:
            commands = [container.get("command", [])]
            for probe in ("startupProbe", "readinessProbe", "livenessProbe"):
                commands.append(container.get(probe, {}).get("exec", {}).get("command", []))
            for hook in container.get("lifecycle", {}).values():
                commands.append(hook["exec"]["command"])
            for command in filter(None, commands):
                assert not (Path(command[0]).name in shells and command[1].startswith("-")), command


def test_every_script_is_mounted_as_it_stands_in_its_file() -> None:
    mounted = set()
    for name in ("single-node", "external", "moving"):
        for manifest in deployment(name).of_kind("ConfigMap"):
            mounted |= set(manifest["data"].values())
    found = (COMPONENTS / "scripts").rglob("*")
    files = [file for file in found if file.is_file() and "__pycache__" not in file.parts]
    assert [str(file) for file in files if file.read_text() not in mounted] == []


def test_bytecode_that_python_leaves_beside_a_program_is_no_script(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "daemon" / "__pycache__").mkdir(parents=True)
    (tmp_path / "daemon" / "__pycache__" / "srs.cpython-311.pyc").write_bytes(b"\xa7\r\r\n")
    (tmp_path / "daemon" / "srs.py").write_text("print()\n")
    monkeypatch.setattr(entry, "_SCRIPTS", tmp_path)
    assert entry.scripts.__wrapped__("daemon") == {"srs.py": "print()\n"}


def test_components_hold_no_program_text() -> None:
    """Each text of more than a word that a shell would run stands in a file, where shellcheck reads it."""
    shell = ("#!/", "$(", " && ", " || ", "; do", "2>&1", "<<EOF", "umask ", "exec ")
    for file in COMPONENTS.rglob("*.py"):
        tree = ast.parse(file.read_text())
        documentation = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
        for node in ast.walk(tree):
            if (
                isinstance(node, ast.Constant)
                and isinstance(node.value, str)
                and id(node) not in documentation
            ):
                assert not any(part in node.value for part in shell), f"{file.name}:{node.lineno}"
