"""One lab for each process of a run, and on it one stack after the other."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from xdist.remote import Producer
from xdist.scheduler import LoadScopeScheduling

from tests.acceptance import kept
from tests.acceptance.configs import MODES
from tests.acceptance.console import Console
from tests.acceptance.doctoring import Doctor, Looked, all_done
from tests.acceptance.given import Given, Refused
from tests.acceptance.pace import crowding
from tests.acceptance.receiving import Receiver
from tests.acceptance.report import Report
from tests.acceptance.servers import serving
from tests.acceptance.stack import JANE, Stack
from tests.lab import programs
from tests.lab.cluster import Lab, end_on_signals
from tests.lab.errors import LabError
from tests.lab.images import tars
from tests.lab.interrupts import uninterrupted

_HERE = Path(__file__).parent

_COURSE = (
    "test_deployment",
    "test_reception",
    "test_submission",
    "test_sending",
    "test_answers",
    "test_relaying",
    "test_isolation",
    "test_web",
    "test_discovery",
    "test_numbers",
    "test_turn",
    "test_groupware",
    "test_files",
    "test_doctor",
    "test_doctor_faults",
    "test_addresses",
    "test_the_day",
    "test_changes",
    "test_own_lines",
    "test_smarthost",
    "test_outbound_trust",
    "test_load",
    "test_failures",
    "test_disaster",
    "test_preview_account",
    "test_rotation",
    "test_given_secrets",
    "test_customers",
    "test_ways_in",
    "test_cluster_prometheus",
    "test_bucket",
    "test_staged_keys",
    "test_image_change",
    "test_image_mutants",
    "test_database_release",
    "test_losses",
    "test_dead_nodes",
    "test_destroy",
    "test_broken_updates",
)
"""What a stack lives through, in this order: made, talked to, changed, hurt, removed and made again."""

REPORT = pytest.StashKey[Report]()
_SECONDS = 20
"""For the doctor's look at a whole stack."""
_LOOKS = 3
_CROWDED = 2
"""Times that everything takes longer than on a machine that has time."""
GIVEN = pytest.StashKey[Given | None]()


def pytest_configure(config: pytest.Config) -> None:
    """The report of a run, when it runs anything of here."""
    config.stash[REPORT] = report = Report()
    config.pluginmanager.register(report)
    try:
        config.stash[GIVEN] = given = Given.of(os.environ)
        if given:
            given.check()
            report.about(given.version(), given.tag)
        programs.kubernetes()
    except (Refused, LabError) as refusal:
        raise pytest.UsageError(str(refusal)) from None


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """A test runs in both modes unless it is marked `mode`."""
    if "stack" in metafunc.fixturenames and metafunc.definition.path.parent == _HERE:
        marked = metafunc.definition.get_closest_marker("mode")
        metafunc.parametrize("stack", marked.args if marked else MODES, indirect=True, scope="session")


def pytest_itemcollected(item: pytest.Item) -> None:
    """Whatever lies here needs a real cluster."""
    item.add_marker(pytest.mark.acceptance)


@pytest.hookimpl(trylast=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Each stack is deployed once, and lives through the course."""
    places = [place for place, item in enumerate(items) if item.path.parent == _HERE]
    for place, item in zip(places, sorted((items[place] for place in places), key=_turn), strict=True):
        items[place] = item


def _turn(item: pytest.Item) -> tuple[int, int]:
    if item.path.stem not in _COURSE:
        raise pytest.UsageError(f"{item.path.name} has no place in _COURSE of {__file__}: say when it runs")
    return MODES.index(_mode(item)), _COURSE.index(item.path.stem)


def _mode(item: pytest.Item) -> str:
    assert isinstance(item, pytest.Function)
    return str(item.callspec.params["stack"])


class _ByStack(LoadScopeScheduling):
    """Where several processes share the work, each has a lab and a stack of its own.

    A test that names no stack makes its own, on whichever lab is free.
    """

    def _split_scope(self, nodeid: str) -> str:
        return next((mode for mode in MODES if f"[{mode}" in nodeid), nodeid)


def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> LoadScopeScheduling:
    """xdist's own `loadgroup` wants its workers to write marks into names, which they do not with this pytest."""
    return _ByStack(config, log)


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    """Where figures of the run are noted."""
    return request.config.stash[REPORT]


@pytest.fixture(scope="session")
def lab(request: pytest.FixtureRequest, report: Report) -> Iterator[Lab | Given]:
    """A real cluster of two nodes with the lab's images on them, or the one that was given."""
    end_on_signals()
    if given := request.config.stash[GIVEN]:
        yield given
        return
    if kept.path() and (running := Lab.running()):
        yield running
        return
    with report.timed("lab, from nothing to a cluster that gives addresses"):
        made = Lab(images=tars()).up()
    try:
        yield made
    finally:
        made.down()


@pytest.fixture(scope="session")
def stack(
    request: pytest.FixtureRequest, lab: Lab | Given, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Stack]:
    """The stack of a mode, deployed, with an account in each domain."""
    mode: str = request.param
    if isinstance(lab, Given):
        yield from _on_given(lab, report, tmp_path_factory.mktemp(mode) / "program", mode)
        return
    if kept.path():
        found = kept.stack(lab)
        if found.mode != mode:
            pytest.skip(f"{found.mode} is kept on the lab, this is about {mode}")
        yield found
        return
    made = Stack.make(lab, tmp_path_factory.mktemp(mode) / "program", mode)
    # Of another mode, if this lab had one before.
    made.remove()
    with crowding() as crowd:
        seconds = made.deploy()
    report.note(f"{mode}: `pulumi up` from nothing", seconds)
    report.note(f"{mode}: how crowded the machine was meanwhile (times)", crowd.factor)
    yield made


@pytest.fixture(scope="module")
def own_lab(stack: Stack) -> Lab:
    """The lab with all that it alone can do: other images on its nodes, other addresses in its world, to be thrown away."""
    if not isinstance(stack.lab, Lab):
        pytest.skip("only the lab can do this, not a cluster that is given")
    return stack.lab


@pytest.fixture(scope="module")
def receiver(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Receiver]:
    """Somebody else's mail server, listening."""
    took = tmp_path_factory.mktemp("receiver") / "took"
    with serving(stack, "receiver", took):
        yield Receiver(took)


@pytest.fixture(scope="module")
def doctor(stack: Stack, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Doctor]:
    """The doctor somewhere on the internet, where nothing is wrong."""
    with all_done(stack):
        yield Doctor(stack, Console(stack, tmp_path_factory.mktemp("console")))


@pytest.fixture(scope="module")
def healthy(doctor: Doctor, report: Report) -> Looked:
    """What the doctor says then, within its time."""
    for _ in range(_LOOKS):
        with crowding() as crowd:
            found = doctor.look()
        # Who waits for a processor is taken for dead.
        if not found.wrong or crowd.factor < _CROWDED:
            break
    report.note("the doctor's look at a healthy stack", found.seconds)
    assert found.seconds <= _SECONDS * crowd.factor
    return found


@pytest.fixture(scope="session")
def stranger(stack: Stack) -> None:
    """Strangers' mail is taken from the client. A cluster that is given may not find the name of this machine."""
    if isinstance(stack.lab, Given):
        said = stack.received(JANE, "may-a-stranger-write")
        if not said.startswith("250"):
            pytest.skip(f"only the lab knows a stranger by name, here Postfix says: {said}")


def _on_given(given: Given, report: Report, root: Path, mode: str) -> Iterator[Stack]:
    """Removed whatever happens: nobody throws a cluster of the user's away afterwards, as the lab is."""
    if mode != MODES[0]:
        pytest.skip(f"a cluster that is given runs {MODES[0]} only, this is about {mode}")
    made = Stack.make(given, root, mode)
    try:
        report.note(f"{mode}: `pulumi up` from nothing", made.deploy())
        yield made
    finally:
        with uninterrupted():
            made.remove()
