"""`./kolab backup`: which snapshot a restore takes, what it says, and what it refuses."""

from __future__ import annotations

import datetime
import json
from typing import Any

import pytest

from ops import backup, kubectl, snapshots
from ops.snapshots import Snapshot
from ops.stacks import StackFile, StackProblem
from tests.support.stacks import changed, stack


def at(text: str) -> datetime.datetime:
    return datetime.datetime.fromisoformat(text).replace(tzinfo=datetime.UTC)


SNAPSHOTS = [
    Snapshot("a1", "mail", at("2026-11-24T01:30"), 1),
    Snapshot("b2", "database", at("2026-11-25T01:30"), 1),
    Snapshot("c3", "mail", at("2026-11-25T01:31"), 1),
    Snapshot("d4", "before-restore-mail", at("2026-11-25T09:00"), 1),
]


def test_a_restore_takes_the_newest_snapshot_of_its_engine() -> None:
    assert snapshots.choose(SNAPSHOTS, "mail", None).id == "c3"


def test_with_a_time_it_takes_the_newest_that_is_not_younger() -> None:
    assert snapshots.choose(SNAPSHOTS, "mail", at("2026-11-25T01:30")).id == "a1"


def test_a_time_before_the_first_backup_is_refused_with_the_time_of_the_first() -> None:
    with pytest.raises(StackProblem, match="the first is of 2026-11-24 01:30 UTC"):
        snapshots.choose(SNAPSHOTS, "mail", at("2026-11-01T00:00"))


def test_an_engine_without_a_backup_is_refused() -> None:
    with pytest.raises(StackProblem, match="no backup of files"):
        snapshots.choose(SNAPSHOTS, "files", None)


DAY_AHEAD = Snapshot("f6", "mail", at("2026-11-26T12:00"), 1)
"""Of 25 November, by a clock that was a day ahead."""
NEXT = Snapshot("a7", "mail", at("2026-11-26T01:31"), 1, after=("f6",))


def test_a_snapshot_of_a_clock_that_was_ahead_is_not_taken_for_the_newest() -> None:
    assert snapshots.choose([*SNAPSHOTS, DAY_AHEAD], "mail", None).id == "f6"
    assert snapshots.choose([*SNAPSHOTS, DAY_AHEAD, NEXT], "mail", None).id == "a7"
    assert snapshots.choose([*SNAPSHOTS, DAY_AHEAD, NEXT], "mail", at("2026-11-27T00:00")).id == "a7"


def test_a_snapshot_of_a_clock_that_is_behind_is_the_newest_all_the_same() -> None:
    behind = Snapshot("b8", "mail", at("2026-11-24T12:00"), 1, after=("c3",))
    assert snapshots.choose([*SNAPSHOTS, behind], "mail", None).id == "b8"


def test_what_a_snapshot_is_newer_than_is_no_engine() -> None:
    told = [{"id": "a7", "time": "2026-11-26T01:31:00Z", "tags": ["after-f6", "data-0b", "mail"]}]
    (found,) = snapshots.read(json.dumps(told))
    assert (found.engine, found.after) == ("mail", ("f6",))


def test_the_list_names_what_bears_a_false_time(
    cluster: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    listing = snapshots.Listing((*SNAPSHOTS, NEXT, DAY_AHEAD), ("ab12cd34ef",))
    monkeypatch.setattr(backup, "snapshots", lambda _: listing)
    backup.show(options("list"))
    said = capsys.readouterr().out
    assert "A clock was wrong: f6 bears a later time" in said
    assert "nothing is known of them: ab12cd34." in said


def test_a_spoiled_snapshot_may_be_the_newest_so_a_restore_wants_a_time(
    cluster: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    plain = Fake.run
    ignored = 'Ignoring "ab12cd34ef": failed to load snapshot ab12cd34: invalid data returned\n'
    monkeypatch.setattr(Fake, "run", lambda *words, **more: f"{plain(*words, **more)}\n{ignored}")
    with pytest.raises(StackProblem, match="snapshot ab12cd34 is spoiled in the repository"):
        backup.restore(options("restore", "mail"))
    backup.restore(options("restore", "mail", "--to", "2026-11-25T02:00"))
    assert "2026-11-25 01:31 UTC" in capsys.readouterr().out


def test_times_of_restic_are_read_in_utc() -> None:
    text = json.dumps(
        [
            {
                "id": "e5",
                "time": "2026-11-26T03:30:00.123456789+02:00",
                "tags": ["data-0b6d", "mail"],
                "summary": {},
            }
        ]
    )
    (found,) = snapshots.read(text)
    assert (found.engine, found.time.strftime("%H:%M")) == ("mail", "01:30")


def test_a_job_is_its_cron_jobs_with_variables_in_every_container() -> None:
    container = {
        "name": "c",
        "env": [{"name": "KOLAB_SNAPSHOT", "value": "old"}, {"name": "TZ", "value": "UTC"}],
    }
    pod = {"initContainers": [{"name": "i"}], "containers": [container]}
    cron: Any = {
        "metadata": {"labels": {"x": "y"}},
        "spec": {"suspend": True, "jobTemplate": {"spec": {"backoffLimit": 0, "template": {"spec": pod}}}},
    }
    made = kubectl.job_of(cron, "restore-1", {"KOLAB_SNAPSHOT": "ab"})
    inner = made["spec"]["template"]["spec"]
    wanted = {"name": "KOLAB_SNAPSHOT", "value": "ab"}
    assert inner["initContainers"][0]["env"] == [wanted]
    assert inner["containers"][0]["env"] == [{"name": "TZ", "value": "UTC"}, wanted]
    assert "suspend" not in made["spec"]


class Fake(kubectl.Kubectl):
    """A cluster that only remembers what it was told."""

    calls: list[tuple[str, ...]] = []  # noqa: RUF012 - shared on purpose, and emptied by the fixture

    def run(self, *arguments: str, text: str | None = None, seconds: float = 120) -> str:
        """Answers the list of snapshots."""
        self.calls.append(arguments)
        if arguments[0] == "get":
            return ""
        each = [{"id": s.id, "time": s.time.isoformat(), "tags": [s.engine]} for s in SNAPSHOTS]
        return json.dumps(each)

    def job(self, cron_job: str, env: Any, *, seconds: int = 0) -> str:
        """Remembers the job."""
        self.calls.append(("job", cron_job, *sorted(env.values())))
        return "restore: done\n"


@pytest.fixture
def cluster(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, ...]]:
    Fake.calls.clear()
    monkeypatch.setattr(kubectl.Kubectl, "of", lambda settings: Fake("prod", settings.kubernetes.namespace))
    monkeypatch.setattr(StackFile, "read", classmethod(lambda cls, name: _File(name)))
    return Fake.calls


class _File:
    def __init__(self, name: str) -> None:
        self.name = name

    def settings(self) -> tuple[Any, tuple[()]]:
        return stack(self.name), ()


def options(*words: str, name: str = "full") -> Any:
    from ops.__main__ import parser  # noqa: PLC0415 - every command, which the other tests need not wait for

    return parser().parse_args(["backup", *words, "--stack", name])


def test_without_the_contexts_name_a_restore_only_says_what_it_would_overwrite(
    cluster: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    backup.restore(options("restore", "mail"))
    said = capsys.readouterr().out
    assert "2026-11-25 01:31 UTC" in said
    assert "Nothing was changed. To go ahead, repeat it with --context prod" in said
    assert [call[0] for call in cluster] == ["exec"]


def test_another_clusters_name_is_refused_before_anything_is_stopped(cluster: list[tuple[str, ...]]) -> None:
    with pytest.raises(StackProblem, match="names another cluster than the stack"):
        backup.restore(options("restore", "mail", "--context", "staging"))
    assert [call[0] for call in cluster] == ["exec"]


def test_cyrus_is_down_while_its_volumes_are_written(cluster: list[tuple[str, ...]]) -> None:
    backup.restore(options("restore", "mail", "--context", "prod"))
    what = [call[:3] for call in cluster[1:]]
    assert what == [
        ("scale", "statefulset/imap", "--replicas=0"),
        ("get", "pods", "-l"),
        ("job", "restore-mail", "c3"),
        ("scale", "statefulset/imap", "--replicas=1"),
        ("rollout", "status", "statefulset/imap"),
    ]


def test_a_restore_ends_when_cyrus_answers_again_since_the_next_one_reads_the_repository_there(
    cluster: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    plain = Fake.run

    def run(self: Fake, *arguments: str, **more: Any) -> str:
        if arguments[0] == "rollout":
            raise StackProblem("timed out waiting for the condition")
        return plain(self, *arguments, **more)

    monkeypatch.setattr(Fake, "run", run)
    with pytest.raises(StackProblem, match=r"imap does not start: timed out .*; `./kolab logs` shows why"):
        backup.restore(options("restore", "mail", "--context", "prod"))


def test_every_daemon_that_was_stopped_is_waited_for(cluster: list[tuple[str, ...]]) -> None:
    backup.restore(options("restore", "database", "--context", "prod"))
    stopped = {call[1] for call in cluster if call[0] == "scale" and call[2] == "--replicas=0"}
    assert {call[2] for call in cluster if call[0] == "rollout"} == stopped != set()


def test_postfix_asks_no_database_that_is_half_loaded_and_gets_its_replicas_back(
    cluster: list[tuple[str, ...]],
) -> None:
    backup.restore(options("restore", "database", "--context", "prod"))
    scaled = [call[1:] for call in cluster if call[0] == "scale"]
    assert ("job", "backup-database", "before-restore-database") in cluster
    loaded = cluster.index(("job", "restore-database", "b2"))
    assert cluster.index(("scale", "statefulset/postfix", "--replicas=0")) < loaded
    assert scaled[-4:] == [
        ("statefulset/postfix", "--replicas=2"),
        ("deployment/webapp", "--replicas=2"),
        ("deployment/horizon", "--replicas=1"),
        ("deployment/roundcube", "--replicas=2"),
    ]


def test_files_of_somebody_elses_service_are_not_promised(cluster: list[tuple[str, ...]]) -> None:
    with pytest.raises(StackProblem, match="there is no backup of them"):
        backup.restore(options("restore", "files", name="external"))


def test_a_time_that_is_none_is_refused_with_an_example(cluster: list[tuple[str, ...]]) -> None:
    with pytest.raises(StackProblem, match="2026-11-26T02:30"):
        backup.restore(options("restore", "mail", "--to", "yesterday"))


def test_a_failed_restore_of_mail_leaves_the_pod_that_reads_the_repository(
    cluster: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> str:
        raise StackProblem("was restored in part only")

    monkeypatch.setattr(Fake, "job", fails)
    with pytest.raises(StackProblem, match="in part only"):
        backup.restore(options("restore", "mail", "--context", "prod"))
    assert cluster[-1] == ("scale", "statefulset/imap", "--replicas=1")


def test_a_drill_tries_accounts_and_mail_and_stops_nothing(cluster: list[tuple[str, ...]]) -> None:
    backup.drill(options("drill"))
    assert cluster == [("job", "drill-database"), ("job", "drill-mail")]


def test_one_engine_may_be_drilled_alone(cluster: list[tuple[str, ...]]) -> None:
    backup.drill(options("drill", "mail"))
    assert cluster == [("job", "drill-mail")]


def test_there_is_no_drill_of_files(cluster: list[tuple[str, ...]]) -> None:
    with pytest.raises(StackProblem, match="no drill of files; name one of database, mail"):
        backup.drill(options("drill", "files"))
    assert cluster == []


def test_a_stack_without_drills_says_which_key_has_switched_them_off(
    cluster: list[tuple[str, ...]], monkeypatch: pytest.MonkeyPatch
) -> None:
    without = changed("full", {"backup": {"drill": "never"}})
    monkeypatch.setattr(_File, "settings", lambda _: (without, ()))
    with pytest.raises(StackProblem, match=r"kolab:backup\.drill is never"):
        backup.drill(options("drill"))
    assert cluster == []


def test_a_dump_of_before_a_migration_counts_as_one_of_the_databases() -> None:
    later = Snapshot("e5", "before-migration", at("2026-11-26T10:00"), 1)
    assert snapshots.choose([*SNAPSHOTS, later], "database", None) == later
    assert snapshots.choose([*SNAPSHOTS, later], "database", at("2026-11-26T09:59")).id == "b2"


def test_the_way_back_of_tables_needs_no_backups_and_says_first_which_dump_it_takes(
    cluster: list[tuple[str, ...]], capsys: pytest.CaptureFixture[str]
) -> None:
    backup.restore(options("restore", "database", "--before-migration", name="single-node"))
    assert cluster == [("job", "restore-dump", "", "choose")]
    said = capsys.readouterr().out
    assert "become what they were: done." in said
    assert "Nothing was changed." in said


def test_tables_go_back_while_nobody_uses_them(cluster: list[tuple[str, ...]]) -> None:
    words = ("restore", "database", "--before-migration", "--context", "prod")
    backup.restore(options(*words))
    loaded = cluster.index(("job", "restore-dump", ""))
    for workload in (
        "statefulset/postfix",
        "deployment/webapp",
        "deployment/horizon",
        "deployment/roundcube",
    ):
        assert cluster.index(("scale", workload, "--replicas=0")) < loaded
    assert any(call[:2] == ("scale", "deployment/webapp") for call in cluster[loaded:])
    # The Job itself keeps what it overwrites.
    assert not [call for call in cluster if call[:2] == ("job", "backup-database")]


@pytest.mark.parametrize(
    ("words", "wanted"),
    [(("--to", "2026-11-26T03:30+01:00"), "2026-11-26T02:30:00Z"), (("--before-restore",), "before-restore")],
)
def test_a_time_or_the_last_restore_chooses_the_dump(
    cluster: list[tuple[str, ...]], words: tuple[str, ...], wanted: str
) -> None:
    backup.restore(options("restore", "database", "--before-migration", *words))
    assert set(cluster[0]) == {"job", "restore-dump", wanted, "choose"}


@pytest.mark.parametrize(
    ("words", "why"),
    [
        (("mail", "--before-migration"), "name database"),
        (("database", "--before-migration", "--before-restore", "--to", "2026-11-26"), "leave --to out"),
    ],
)
def test_what_makes_no_sense_of_a_migration_is_refused(
    cluster: list[tuple[str, ...]], words: tuple[str, ...], why: str
) -> None:
    with pytest.raises(StackProblem, match=why):
        backup.restore(options("restore", *words))
    assert cluster == []
