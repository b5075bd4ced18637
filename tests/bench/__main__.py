"""`make bench`: what the program costs, as ratios, so that the figures of one machine say something about another."""

from __future__ import annotations

import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

from tests.bench import clock, imports
from tests.bench.hosting import hosting, model_and_zones
from tests.engine.program import Program, Run
from tests.engine.stacks import configured, example
from tests.support import cloudflare

_REPETITIONS = 3
_FLOOR = Path(__file__).with_name("floor")
_RECORDS_OF_A_DOMAIN = 38


def main() -> int:
    """Prints one line a figure as soon as it is known."""
    with tempfile.TemporaryDirectory(prefix="kolab-bench-") as folder:
        for line in _figures(Path(folder)):
            print(line, flush=True)
    return 0


def _figures(folder: Path) -> Iterator[str]:
    yield from _imports()
    yield from _model()
    yield from _program(folder / "program")
    yield from _records(folder / "records")


def _imports() -> Iterator[str]:
    programs = (imports.at_start(), imports.ever(), imports.SDK)
    start, ever, sdk = clock.in_turn([partial(imports.run, each) for each in programs], _REPETITIONS)
    yield _line("imports of the program / of the packages that it is written with", start, sdk)
    yield _line("the same for a stack that publishes at Cloudflare", ever, sdk)


def _model() -> Iterator[str]:
    works = [model_and_zones(each) for each in (hosting(1000), hosting(100), hosting(1000, own=True))]
    many, few, own = clock.in_turn(works, _REPETITIONS)
    yield _line("zone files of 1,000 hosted domains / ten times those of 100", many, _times(few, 10))
    yield _line("zone files of 1,000 hosted domains, each with overrides / without them", own, many)


def _program(folder: Path) -> Iterator[str]:
    config = example("Pulumi.single-node")
    config["kubernetes"] = {"render": "rendered/single-node/manifests"}
    program, _ = configured(folder / "kolab", "single-node", config)
    whole = program.up()
    resources = sum(op.type.startswith(("kubernetes:", "kolab:")) for op in whole.operations)
    floor = _floor(folder / "floor", resources)
    floor.up()
    works = [lambda: _must(program.preview()), lambda: _must(floor.preview())]
    ours, least = clock.in_turn(works, _REPETITIONS)
    yield _line(f"preview of local / of an empty program with as many resources ({resources})", ours, least)


def _floor(root: Path, resources: int) -> Program:
    shutil.copytree(_FLOOR, root)
    (root / ".venv").symlink_to(sys.prefix)
    (root / ".local").mkdir()
    made = Program(root, "floor")
    made.must("stack", "init", "floor")
    given = {"resources": str(resources), "render": "rendered/floor/manifests"}
    for key, value in given.items():
        made.must("config", "set", f"floor:{key}", value, "--stack", "floor")
    return made


def _records(folder: Path) -> Iterator[str]:
    def deployed(records: int) -> clock.Time:
        root = folder / str(records)
        program, _ = configured(root, "records", hosting(records // _RECORDS_OF_A_DOMAIN))
        plugins = f"{cloudflare.install(root / 'bin')}:{os.environ['PATH']}"
        world = {"PATH": plugins, cloudflare.WORLD: str(root / "world.json")}
        return clock.once(lambda: _must(program.up(env=world)))

    many, few = deployed(2000), deployed(200)
    yield _line("up of 2,000 DNS records / ten times that of 200", many, _times(few, 10))


def _must(run: Run) -> None:
    assert run.code == 0, run.output


def _times(time: clock.Time, factor: int) -> clock.Time:
    return clock.Time(time.wall * factor, time.processor * factor)


def _line(what: str, ours: clock.Time, least: clock.Time) -> str:
    wall, processor = ours.wall / least.wall, ours.processor / least.processor
    return f"{processor:5.2f} of processors {wall:5.2f} of time  ({ours.wall:.1f} s)  {what}"


if __name__ == "__main__":
    sys.exit(main())
