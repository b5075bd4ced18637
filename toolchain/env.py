"""The environment in which `pulumi` finds what the toolchain chose."""

from __future__ import annotations

import os
from pathlib import Path

from . import ensure, stand_ins

CHECKOUT = Path(__file__).resolve().parent.parent


def environment(python: str | None = None) -> dict[str, str]:
    """A copy of this process's environment in which `pulumi` and its plugins are found.

    `python` runs the stand-ins (it needs the packages of requirements.txt); the project's .venv by default.
    """
    found = ensure.find()
    ensure.put_stand_ins(found)
    env = dict(os.environ)
    env["KOLAB_CHECKOUT"] = str(CHECKOUT)
    env["KOLAB_PYTHON"] = python or env.get("KOLAB_PYTHON") or str(CHECKOUT / ".venv" / "bin" / "python")
    env["PULUMI_SKIP_UPDATE_CHECK"] = "true"
    # Plugins on PATH are how an operator overrides the choice; this setting would hide them.
    env.pop("PULUMI_IGNORE_AMBIENT_PLUGINS", None)
    first = [found.pulumi.parent, *ensure.test_tool_directories()]
    if found.language_host is None:
        first.append(stand_ins.path_directory())
    elif found.language_host.resolve().parent != found.pulumi.resolve().parent:
        # Beside a `pulumi` of ours may lie the launcher of a day without a genuine one.
        first.insert(0, stand_ins.alone(found.language_host))
    if found.kubernetes_plugin is None:
        env["PULUMI_HOME"] = str(stand_ins.home())
        # What could not be downloaded a moment ago would only time out again, once per plugin.
        env["PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION"] = "true"
    elif env.get("PULUMI_HOME") == str(stand_ins.home()):
        # This runs inside an environment that was made before there was a genuine one.
        del env["PULUMI_HOME"]
        env.pop("PULUMI_DISABLE_AUTOMATIC_PLUGIN_ACQUISITION", None)
    rest = [p for p in env.get("PATH", os.defpath).split(os.pathsep) if p and Path(p) not in first]
    env["PATH"] = os.pathsep.join([*map(str, first), *rest])
    return env
