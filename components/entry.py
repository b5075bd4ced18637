"""How images are adjusted: a small script patches a copy of the image's own init and runs that.

Kolab's images write their configuration themselves, at every start, with sed and heredocs, and the mail part
of nginx has no include: there is no file to mount over. Each adjustment names the exact line it replaces and
how often that line occurs. If an image changes, the container exits with a sentence instead of running with
half of its adjustments.
"""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from dataclasses import dataclass

PATH = "/kolab/entry"
"""Where the scripts of a container are mounted."""

COMMAND = ("/bin/bash", f"{PATH}/entry.sh")
"""Command of a container that is started through its entry script."""


@dataclass(frozen=True)
class Replace:
    """Put `by` (any number of lines) where exactly `times` whole lines equal `line`."""

    line: str
    by: str
    times: int = 1


@dataclass(frozen=True)
class Watch:
    """Do `then` when the certificate mounted at `certificate` changes: daemons read theirs only at start."""

    certificate: str
    then: str


QUIET = Replace("set -x", "set +x")
"""Several inits trace themselves, and so write passwords from their command lines into the log."""


_HEAD = """\
#!/bin/bash
# Adjusts this image, checks that every adjustment took, then starts the image's own init.
set -eu
fail() { echo "entry: $*" >&2; exit 70; }
# replace FILE TIMES LINE BY: whole lines, compared byte by byte
replace() {
  local line found=0 out
  [ -r "$1" ] || fail "$1 is not in this image: it differs from the one this stack was made for"
  out=$(mktemp)
  while IFS= read -r line || [ -n "$line" ]; do
    if [ "$line" = "$3" ]; then found=$((found + 1)); line=$4; fi
    printf '%s\\n' "$line"
  done < "$1" > "$out"
  [ "$found" = "$2" ] || fail "expected $2 line(s) '$3' in $1, found $found: the image differs from the one this stack was made for"
  cat "$out" > "$1"
  rm -f "$out"
}
"""


def replace_in(file: str, adjustment: Replace) -> str:
    """The shell command that makes `adjustment` in `file`, for use inside another adjustment."""
    return f"replace {shlex.quote(file)} {adjustment.times} {shlex.quote(adjustment.line)} {shlex.quote(adjustment.by)}"


def script(
    init: str, adjustments: Sequence[Replace], *, arguments: Sequence[str] = (), watch: Watch | None = None
) -> str:
    """An entry script that runs `init` with `adjustments`, and beside it the `watch` over its certificate.

    The copy is sourced into a fresh bash so that it keeps `replace` and `fail`, its own `set -e`, and PID 1.
    """
    copy = "/tmp/kolab-init.sh"
    lines = [_HEAD, f"[ -r {init} ] || fail '{init} is not in this image'", f"cp {init} {copy}"]
    lines += [replace_in(copy, adjustment) for adjustment in adjustments]
    if watch is not None:
        lines.append(_watching(watch))
    lines += ["set +eu", " ".join(["source", copy, *map(shlex.quote, arguments)])]
    return "\n".join(lines) + "\n"


def _watching(watch: Watch) -> str:
    """A background loop, started before the init: what is renewed while a daemon starts is not missed either.

    The kubelet renews a mounted Secret within about a minute after cert-manager has renewed it. A `then` that
    fails is tried again, as it must be until there is a daemon to tell.
    """
    now = f"$(cat {watch.certificate}/tls.crt {watch.certificate}/tls.key | sha256sum)"
    return f"""\
kolab_seen={now}
(
  while sleep 30; do
    now={now}
    [ "$now" != "$kolab_seen" ] || continue
    if {{ {watch.then}; }}; then kolab_seen=$now; else echo "entry: the renewed certificate is not in use yet" >&2; fi
  done
) &"""
