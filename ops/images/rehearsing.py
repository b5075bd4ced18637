"""The rehearsal of an update, here and now: an image starts as far as it can without serving anybody, in a room of its own.

It is given what the Job of the update gives it (given.py), and says itself whether it fits: its entry script ends with
`rehearsed`, or with the sentence of `fail` (components/scripts/adjust.sh).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from components.rehearsal import DOES_NOT_FIT
from ops.images.check import Misfit
from ops.images.documents import Configuration, Defaults
from ops.images.given import Given
from ops.room.outside import Said, Task, run

_REHEARSED = "entry: rehearsed: this image can run here"
_WARNING = "entry: warning: "
_SECONDS = 180
"""An init that waits for something without a network waits for ever."""
_LINES = 3
"""Of what is said by an image that ends without a sentence of ours."""
_LONGEST = 600
"""Signs of what is repeated."""
_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where an image does not say (containerd: pkg/oci, defaultUnixEnv)."""


def judge(
    archives: Sequence[Path],
    configuration: Configuration,
    given: Sequence[Given],
    shown: Sequence[str] = (),
    seconds: float = _SECONDS,
) -> list[Misfit]:
    """What the containers of a rehearsal say of an image; empty when it fits. Raises NoRoom when none can be run here."""
    found = []
    for each in given:
        task = _task(archives, configuration.config or Defaults(), each, shown, seconds)
        prefix = f"{each.container}: " if len(given) > 1 else ""
        found += [Misfit(misfit.level, prefix + misfit.text) for misfit in verdict(run(task), seconds)]
    return found


def verdict(said: Said, seconds: float = _SECONDS) -> list[Misfit]:
    """What a rehearsal came to, by how it ended and what was said. Warnings come with any end."""
    lines = [line for line in said.text.splitlines() if line.strip()]
    warnings = [
        Misfit("warning", _shown(line.removeprefix(_WARNING))) for line in lines if line.startswith(_WARNING)
    ]
    return [*_end(said.status, lines, seconds), *dict.fromkeys(warnings)]


def _end(status: int | None, lines: Sequence[str], seconds: float) -> Iterator[Misfit]:
    if status == 0 and _REHEARSED in lines:
        return
    if status is None:
        yield Misfit(
            "warning",
            f"it did not come to its end within {seconds:g} seconds without a network: the rehearsal of the update will tell;"
            f" its last words are: {_last(lines)}",
        )
    elif status == DOES_NOT_FIT and (sentence := _sentence(lines)):
        yield Misfit("does not fit", _shown(sentence))
    else:
        how = "ends before it is rehearsed" if status == 0 else f"fails with status {status}"
        yield Misfit("does not fit", f"its init {how}; its last words are: {_last(lines)}")


def _sentence(lines: Sequence[str]) -> str:
    """The last sentence of `fail`, which may go over several lines."""
    starts = [
        at for at, line in enumerate(lines) if line.startswith("entry: ") and not line.startswith(_WARNING)
    ]
    return " ".join(lines[starts[-1] :]).removeprefix("entry: ") if starts else ""


def _last(lines: Sequence[str]) -> str:
    # Bash has a word of its own after one that ends a function.
    return _shown(" / ".join(lines[-_LINES:])) if lines else "none"


def _shown(text: str) -> str:
    """Somebody else's words, as one line without signs that a terminal would obey."""
    return "".join(sign if sign.isprintable() else " " for sign in re.sub(r"\s+", " ", text))[:_LONGEST]


def _task(
    archives: Iterable[Path], image: Defaults, given: Given, shown: Sequence[str], seconds: float
) -> Task:
    return Task(
        layers=[str(archive) for archive in archives],
        folders=given.folders,
        files=given.files,
        shown=shown,
        command=given.command,
        environment={
            "PATH": _PATH,
            "HOSTNAME": given.container,
            **_variables(image.variables),
            **given.environment,
        },
        folder=image.folder or "/",
        user=given.user,
        group=given.group,
        groups=given.groups,
        capabilities=given.capabilities,
        escalation=given.escalation,
        seconds=seconds,
    )


def _variables(lines: Iterable[str]) -> Mapping[str, str]:
    return {name: value for name, found, value in (line.partition("=") for line in lines) if found}
