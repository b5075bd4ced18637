"""What can go wrong with a backup or a restore, by the real daemons: each ends well or in one sentence, and nothing alive is harmed.

Where chance chooses, its seed is printed, and `KOLAB_SEED` brings it back.
"""

from __future__ import annotations

import os
import random
import re
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from ops.kubectl import Kubectl
from ops.snapshots import Snapshot, choose, read, snapshots
from ops.stacks import StackProblem
from tests.engine.program import CHECKOUT
from tests.lab.errors import LabError
from tests.lab.images import pods
from tests.lab.images.backups import JANE, JOHN, Site, drilled, emptied, keep, sql, with_mail
from tests.lab.images.container import Container, Start
from tests.lab.images.contract import image
from tests.support import rest_server

pytestmark = [
    pytest.mark.acceptance,
    pytest.mark.skipif(os.geteuid() != 0, reason="containers are started with runc, which needs root"),
]

_SEED = int(os.environ.get("KOLAB_SEED") or 14)
_DAY = 24 * 3600
_CLOCK = """
mkdir -p /work/clock && cd /work/clock
cat > date <<'END'
#!/bin/sh
case " $* " in *" -d "*) exec /bin/date "$@" ;; esac
exec /bin/date -d "@$(($(/bin/date +%s) + KOLAB_CLOCK))" "$@"
END
cat > restic <<'END'
#!/bin/sh
now=$(/bin/date -u -d "@$(($(/bin/date +%s) + KOLAB_CLOCK))" '+%Y-%m-%d %H:%M:%S')
real=$(PATH=${PATH#*:} command -v restic)
case $1 in backup) shift; exec "$real" backup --time "$now" "$@" ;; esac
exec "$real" "$@"
END
chmod +x date restic
"""
"""Programs that see another time: KOLAB_CLOCK seconds later."""


@dataclass(frozen=True)
class _Here(Kubectl):
    """kubectl exec without a cluster."""

    pod: pods.Pod

    def run(self, *arguments: str, text: str | None = None, seconds: float = 120) -> str:
        """In the container that backs mail up."""
        command = arguments[arguments.index("--") + 1 :]
        # restic believes its cache, which a pod has from the beginning of its life.
        fresh = f"RESTIC_CACHE_DIR=/work/cache-{time.time_ns()}"
        done = self.pod.containers["backup-mail"].run("env", fresh, *command)
        if done.returncode:
            raise StackProblem(done.stderr)
        return done.stdout


@pytest.fixture(scope="module")
def imap(site: Site) -> pods.Pod:
    return with_mail(site, 400)


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    print(f"KOLAB_SEED={_SEED}")
    return random.Random(f"{_SEED} {request.node.name}")  # noqa: S311 - which point, no secret


def inboxes(site: Site) -> dict[str, dict[str, list[list[str]]]]:
    return {user: site.mail("read", user) for user in (JOHN, JANE)}


def listed(site: Site) -> list[Snapshot]:
    return read(site.tool("restic", "snapshots", "--no-lock", "--json").output.splitlines()[-1])


def sound(site: Site) -> None:
    site.tool("restic", "check", "--no-lock", "--read-data")


def clocked(pod: pods.Pod, seconds: int) -> subprocess.CompletedProcess[str]:
    """A backup of the mail where the clock is wrong."""
    keeper = pod.containers["backup-mail"]
    assert keeper.run("/bin/sh", "-c", _CLOCK).returncode == 0
    return keep(pod, "env", f"KOLAB_CLOCK={seconds}", f"PATH=/work/clock:{_path(keeper)}")


def _path(container: Container) -> str:
    return container.run("/bin/sh", "-c", "echo $PATH").stdout.strip()


@pytest.mark.parametrize("seconds", [_DAY, -_DAY], ids=["a day ahead", "a day behind"])
def test_a_backup_by_a_wrong_clock_is_the_newest_only_until_the_next_one(
    site: Site, imap: pods.Pod, seconds: int
) -> None:
    site.mail("fill", JOHN, "8", f"wrong-clock-{abs(seconds + 1)}")
    done = clocked(imap, seconds)
    assert done.returncode == 0, done.stderr
    wrong = choose(listed(site), "mail", None)
    assert abs((wrong.time.timestamp() - time.time()) - seconds) < 600
    site.mail("fill", JOHN, "8", f"right-clock-{abs(seconds + 1)}")
    done = keep(imap)
    assert done.returncode == 0, done.stderr
    assert ("is still to come, so a clock is wrong or was" in done.stdout) is (seconds > 0)
    right = choose(listed(site), "mail", None)
    assert abs(right.time.timestamp() - time.time()) < 600
    said = drilled(site.pod("drill-mail"), "imap")
    assert said.endswith(f" {_stored(site)} messages"), "the drill tried another one"
    # What the schedule goes by: nothing that is still to come keeps the next one from being made.
    command = ". /kolab/entry/repository.sh; taken mail"
    asked = imap.containers["backup-mail"].run("/bin/sh", "-c", command)
    assert int(asked.stdout) == int(right.time.timestamp())


def _stored(site: Site) -> int:
    spool = site.place.volume("imap-mailboxes")
    return sum(path.name.endswith(".") and path.name[0].isdigit() for path in spool.rglob("*"))


def test_a_backup_that_is_killed_at_any_of_ten_points_leaves_a_sound_repository(
    site: Site, imap: pods.Pod, chance: random.Random
) -> None:
    site.mail("fill", JANE, "40", "whole")
    assert keep(imap).returncode == 0
    # Of nothing new: no other one takes less.
    began = time.monotonic()
    assert keep(imap).returncode == 0
    whole = time.monotonic() - began
    killed = 0
    for number in range(10):
        site.mail("fill", JOHN, "8", f"killed-{number}")
        before, mail = {each.id for each in listed(site)}, inboxes(site)
        point = chance.uniform(0, whole)
        done = keep(imap, "timeout", "--signal=KILL", f"{point:.3f}")
        print(f"killed after {point:.3f} of {whole:.3f} s: {done.returncode}")
        killed += done.returncode != 0
        assert before <= {each.id for each in listed(site)}
        assert inboxes(site) == mail
    assert killed >= 5
    assert keep(imap).returncode == 0
    sound(site)
    assert drilled(site.pod("drill-mail"), "imap").endswith(f" {_stored(site)} messages")


def test_who_prunes_as_the_page_says_keeps_the_backup_that_was_made_last(site: Site, imap: pods.Pod) -> None:
    """After backups that were killed, and such as were made by a wrong clock."""
    page = (CHECKOUT / "docs/how-to/back-up-and-restore.md").read_text()
    lines = re.findall(r"`(restic (?:unlock|forget)[^`]*)`", page)
    assert [line.split()[1] for line in lines] == ["forget", "unlock"]
    assert clocked(imap, _DAY).returncode == 0
    assert clocked(imap, _DAY - 3600).returncode == 0
    last = choose(listed(site), "mail", None)
    for line in reversed(lines):
        pruning = _by_other_credentials(site, *line.split())
        assert pruning.exited(180) == 0, pruning.output
    assert choose(listed(site), "mail", None) == last
    sound(site)
    site.mail("fill", JOHN, "8", "after-pruning")
    done = keep(imap)
    assert done.returncode == 0, done.stderr
    assert drilled(site.pod("drill-mail"), "imap").endswith(f" {_stored(site)} messages")


def _by_other_credentials(site: Site, *command: str) -> Container:
    """On the server itself, past its --append-only."""
    workload = site.workloads["backup-database"]
    (spec,) = workload.containers()
    env = workload.environment(spec) | {"RESTIC_REPOSITORY": "/repository/kolab/kolab"}
    del env["RESTIC_CACERT"]
    mounts = {"/repository": site.place.folder / "repository"}
    wanted = Start(image=image("restic"), env=env, mounts=mounts, uid=0, command=command)
    return site.place.start(wanted)


def _another_server(site: Site, port: int, folder: Path) -> Container:
    line = tuple(rest_server.command("rest-server", f":{port}", "/repository", "/tls"))
    mounts = {"/repository": folder, "/tls": site.place.folder / "tls"}
    return site.place.start(Start(image=image("restic"), mounts=mounts, uid=0, command=line))


def _elsewhere(port: int) -> str:
    return f"RESTIC_REPOSITORY=rest:https://backup.example.net:{port}/kolab/kolab/"


def test_a_repository_that_is_full_takes_nothing_and_keeps_what_it_has(
    site: Site, imap: pods.Pod, chance: random.Random
) -> None:
    small = site.place.folder / "small"
    small.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8m", "tmpfs", str(small)], check=True)
    server = _another_server(site, 18001, small)
    try:
        first = keep(imap, "env", _elsewhere(18001))
        assert first.returncode == 0, first.stderr
        filling = small / "somebody-elses"
        room = os.statvfs(small).f_bavail * os.statvfs(small).f_frsize
        filling.write_bytes(chance.randbytes(room - 65536))
        site.mail("fill", JOHN, "80", "too-much")
        full = keep(imap, "env", _elsewhere(18001))
        assert (full.returncode, full.stderr) == (
            1,
            "backup: the repository is full; what is in it was left as it is\n",
        )
        filling.unlink()
        site.tool("env", _elsewhere(18001), "restic", "check", "--no-lock", "--read-data")
        again = keep(imap, "env", _elsewhere(18001))
        assert again.returncode == 0, again.stderr
    finally:
        server.remove()
        subprocess.run(["umount", str(small)], check=True)


def test_a_repository_that_is_gone_is_one_sentence(site: Site, imap: pods.Pod) -> None:
    done = keep(imap, "env", _elsewhere(18009), "KOLAB_PATIENCE=4")
    assert (done.returncode, done.stderr) == (
        1,
        "backup: the repository does not answer; nothing was changed\n",
    )
    with pytest.raises(LabError, match="backup: the repository does not answer; nothing was changed"):
        site.pod(
            "restore-mail",
            KOLAB_SNAPSHOT="ab12",
            RESTIC_REPOSITORY=_elsewhere(18009).partition("=")[2],
            KOLAB_PATIENCE="4",
        )
    assert not (site.place.volume("imap-state") / ".restoring").exists()


def test_a_repository_that_goes_for_some_seconds_costs_no_backup(site: Site, imap: pods.Pod) -> None:
    folder = site.place.folder / "moving"
    folder.mkdir()
    server = _another_server(site, 18002, folder)
    assert keep(imap, "env", _elsewhere(18002)).returncode == 0
    site.mail("fill", JOHN, "80", "meanwhile")

    def vanish() -> None:
        time.sleep(1)
        server.remove()
        time.sleep(5)
        revived.append(_another_server(site, 18002, folder))

    revived: list[Container] = []
    other = threading.Thread(target=vanish)
    other.start()
    done = keep(imap, "env", _elsewhere(18002))
    other.join()
    assert done.returncode == 0, done.stderr
    site.tool("env", _elsewhere(18002), "restic", "check", "--no-lock", "--read-data")
    revived[0].remove()


def test_a_bit_that_flips_anywhere_in_the_repository_is_found_or_does_no_harm(
    site: Site, imap: pods.Pod, chance: random.Random
) -> None:
    assert keep(imap).returncode == 0
    repository = site.place.folder / "repository" / "kolab" / "kolab"
    wanted = f" {_stored(site)} messages"
    found = 0
    for kind in ("data", "data", "data", "index", "index", "snapshots", "snapshots", "keys", "config"):
        files = sorted(path for path in repository.rglob("*") if path.is_file() and _kind(path) == kind)
        # What the newest backup needs, as far as names tell: the rest is read by `restic check` alone.
        file = (
            max(files, key=lambda path: path.stat().st_mtime) if kind == "snapshots" else chance.choice(files)
        )
        with flipped(file, chance):
            try:
                said = drilled(site.pod("drill-mail"), "imap")
            except LabError as error:
                found += 1
                said = str(error).rstrip()
            assert said.endswith(wanted) or re.search(r"failed: backup: [^\n]+\Z", said), said
            if kind == "snapshots":
                _refused(site, imap, file.name)
    assert found >= 3
    sound(site)


@contextmanager
def flipped(file: Path, chance: random.Random) -> Iterator[None]:
    """One bit of a file is another one meanwhile."""
    whole = file.read_bytes()
    place, bit = chance.randrange(len(whole)), 1 << chance.randrange(8)
    print(f"{file.parent.name}/{file.name}: byte {place} ^ {bit}")
    file.chmod(0o600)
    file.write_bytes(whole[:place] + bytes([whole[place] ^ bit]) + whole[place + 1 :])
    try:
        yield
    finally:
        file.write_bytes(whole)


def _refused(site: Site, imap: pods.Pod, spoiled: str) -> None:
    """No older snapshot passes for the newest, and whoever names this one changes nothing."""
    there = snapshots(_Here("here", "kolab", imap))
    assert there.unread == (spoiled,)
    with pytest.raises(StackProblem, match="is spoiled in the repository and may be the newest"):
        there.choose("mail", None)
    with pytest.raises(LabError, match=r"cannot be read from the repository, nothing was changed"):
        site.pod("restore-mail", KOLAB_SNAPSHOT=spoiled)
    assert not (site.place.volume("imap-state") / ".restoring").exists()


def _kind(path: Path) -> str:
    parts = path.parts
    return next((kind for kind in ("data", "index", "snapshots", "keys") if kind in parts), path.name)


def test_a_restore_that_is_killed_half_way_and_given_again_brings_everything_back(
    site: Site, imap: pods.Pod, chance: random.Random
) -> None:
    before = inboxes(site)
    assert keep(imap).returncode == 0
    snapshot = choose(listed(site), "mail", None).id
    for container in imap.containers.values():
        container.stop(60)
    for volume in ("imap-mailboxes", "imap-state"):
        emptied(site.place.volume(volume))
    half = 0
    for _ in range(5):
        point = chance.uniform(0.5, 5)
        if not _killed(site, snapshot, point):
            continue
        marked = (site.place.volume("imap-state") / ".restoring").exists()
        print(f"killed after {point:.3f} s, half restored: {marked}")
        half += marked
        if marked:
            refusing = site.pod("imap").containers
            assert refusing["imap"].exited(60) == 1
            assert "run the same ./kolab backup restore again" in refusing["imap"].output
            refusing["backup-mail"].stop()
    assert half
    mended = site.pod("restore-mail", KOLAB_SNAPSHOT=snapshot)
    assert mended.containers["imap"].exited(240) == 0, mended.containers["imap"].output[-2000:]
    again = site.pod("imap")
    again.wait_ready()
    assert inboxes(site) == before
    for container in again.containers.values():
        container.stop(60)


def _killed(site: Site, snapshot: str, seconds: float) -> bool:
    """Whether a restore of the mail was killed after so long; it may have ended before."""
    there = _containers()

    def kill() -> None:
        while not (made := _containers() - there):
            time.sleep(0.02)
        time.sleep(seconds)
        for name in made:
            subprocess.run(["runc", "kill", name, "KILL"], capture_output=True, check=False)

    other = threading.Thread(target=kill)
    other.start()
    try:
        site.pod("restore-mail", KOLAB_SNAPSHOT=snapshot).containers["imap"].exited(240)
    except LabError:
        return True
    finally:
        other.join()
    return False


def _containers() -> set[str]:
    done = subprocess.run(["runc", "list", "-q"], capture_output=True, text=True, check=True)
    return set(done.stdout.split())


def test_databases_whose_restore_is_killed_half_way_come_back_by_the_same_restore(
    site: Site, chance: random.Random
) -> None:
    mariadb = site.pod("mariadb")
    mariadb.wait_ready()
    many = "INSERT INTO users SELECT seq, CONCAT(seq, REPEAT('x', 200)) FROM seq_1_to_200000"
    sql(site, mariadb, f"CREATE TABLE users (id INT PRIMARY KEY, email VARCHAR(250)); {many}")
    kept = site.pod("backup-database").containers["backup-database"]
    assert kept.exited(240) == 0, kept.output
    wanted = sql(site, mariadb, "CHECKSUM TABLE users")
    snapshot = choose(listed(site), "database", None).id
    seen = set()
    for _ in range(3):
        loading = site.pod("restore-database", KOLAB_SNAPSHOT=snapshot).containers["load"]
        time.sleep(chance.uniform(0, 1.5))
        subprocess.run(["runc", "kill", loading.name, "KILL"], capture_output=True, check=False)
        seen.add(loading.exited(60))
    assert seen != {0}
    loading = site.pod("restore-database", KOLAB_SNAPSHOT=snapshot).containers["load"]
    assert loading.exited(240) == 0, loading.output
    assert sql(site, mariadb, "CHECKSUM TABLE users") == wanted
    assert sql(site, mariadb, "SELECT COUNT(*) FROM users") == "200000\n"
    mariadb.containers["mariadb"].stop(60)
