"""Launchers: small scripts with the names the CLI looks for, which start the stand-ins of *this* checkout.

They lie in the per-user cache, but hold no path: which checkout and which Python is told by the
environment that `toolchain run` sets, so that one cache serves every checkout.
"""

from __future__ import annotations

import contextlib
import hashlib
import shutil
from pathlib import Path

from . import cache, versions

_MARK = "# kolab stand-in"
_LAUNCHER = """\
#!/bin/sh
{mark}: see toolchain/ of the project. Started by the pulumi CLI.
if [ -z "$KOLAB_CHECKOUT" ] || [ ! -x "$KOLAB_PYTHON" ]; then
    echo "start pulumi by \\`python3 -m toolchain run -- pulumi ...\\`, after \\`make up\\` has made .venv" >&2
    exit 1
fi
# -P: neither the working directory nor a script's own directory may shadow a module.
exec "$KOLAB_PYTHON" -P -c '
import sys
sys.path.insert(0, sys.argv.pop(1))
from toolchain.{module} import main
sys.exit(main(sys.argv[1:]))
' "$KOLAB_CHECKOUT" "$@"
"""


def home() -> Path:
    """A PULUMI_HOME of our own. A plugin found on PATH makes the CLI print a warning at every run, one in the
    user's own ~/.pulumi would be taken for the genuine one."""
    return cache.root() / f"stand-ins-{versions.KUBERNETES_PLUGIN}" / "home"


def path_directory() -> Path:
    """Where the language host's launcher lies when it cannot lie beside `pulumi`."""
    return cache.root() / f"stand-ins-{versions.KUBERNETES_PLUGIN}" / "bin"


def alone(program: Path) -> Path:
    """A directory that holds nothing but `program`: first on PATH, it hides no other program."""
    digest = hashlib.sha256(str(program).encode()).hexdigest()[:12]
    link = cache.root() / "chosen" / digest / program.name
    if not link.is_symlink():
        link.parent.mkdir(parents=True, exist_ok=True)
        with contextlib.suppress(FileExistsError):  # another process was as quick
            link.symlink_to(program)
    return link.parent


def write_launchers(language_host_beside: Path | None) -> None:
    """Put the launchers in place. The CLI takes a language host beside itself without a warning, so that is
    the place when `pulumi` is ours (None: there is a genuine one)."""
    plugin = (
        home()
        / "plugins"
        / f"resource-kubernetes-v{versions.KUBERNETES_PLUGIN}"
        / "pulumi-resource-kubernetes"
    )
    cache.write_script(plugin, _text("kubernetes_plugin.server"))
    _keep_no_logs()
    if language_host_beside is not None:
        ours = language_host_beside.is_relative_to(cache.root())
        directory = language_host_beside if ours else path_directory()
        cache.write_script(directory / "pulumi-language-python", _text("language_host"))


def _keep_no_logs() -> None:
    """The CLI logs every run at its highest level, into half a gigabyte of files below PULUMI_HOME, which is nearly
    half of all that it does and has no switch. Nobody reads what it says of stand-ins, and where a file lies in the
    folder's place it does without (pkg/logging/encrypted.go, StartLogging)."""
    logs = home() / "logs"
    if not logs.is_file():
        shutil.rmtree(logs, ignore_errors=True)
        with contextlib.suppress(OSError):  # another process was as quick
            logs.write_text("Runs with stand-ins are not logged.\n")


def is_launcher(path: Path) -> bool:
    """Whether the file is one of ours (the genuine ones are binaries)."""
    with path.open("rb") as file:
        return _MARK.encode() in file.read(200)


def _text(module: str) -> str:
    return _LAUNCHER.format(mark=_MARK, module=module)
