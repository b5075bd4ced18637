"""Runs one Pulumi program in its own process; started by language_host with the *program's* Python.

    language_exec.py SETTINGS-AS-JSON PROGRAM [ARGUMENT ...]

Exit code 32 means: the user has been told what is wrong, and the engine need not add a word. The program's Python need not have this package's
requirements, so nothing of it is imported (and -P keeps this directory off the program's sys.path).
"""

from __future__ import annotations

import asyncio
import json
import logging
import os
import runpy
import sys
import traceback
from concurrent.futures import ThreadPoolExecutor

import pulumi
import pulumi.runtime

REPORTED = 32


def main(settings_json: str, program: str, arguments: list[str]) -> int:
    """Run the program inside a stack resource and tell the engine how it ended."""
    directory = program if os.path.isdir(program) else os.path.dirname(program)
    sys.path.insert(0, os.path.realpath(directory))
    sys.argv = [program, *arguments]

    settings = json.loads(settings_json)
    pulumi.runtime.configure(pulumi.runtime.Settings(**settings))
    pulumi.runtime.set_all_config(
        pulumi.runtime.get_config_env(), pulumi.runtime.get_config_secret_keys_env()
    )

    # Outputs that nobody awaits may fail after the program has been told why; asyncio would print them again.
    logging.getLogger("asyncio").setLevel(logging.CRITICAL)
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    # A registration holds a thread until the engine has made the resource: as many as the engine works on
    # at once, and some to spare for calls that are waited for inside others (hooks, shutdown).
    loop.set_default_executor(ThreadPoolExecutor(max_workers=min(4 * max(settings["parallel"], 1), 256)))
    try:
        loop.run_until_complete(pulumi.runtime.run_in_stack(lambda: _run(program)))
        return 0
    except pulumi.RunError as error:
        # As the genuine host: what it exits with makes the engine say so in a line of its own.
        _report(str(error))
        return 1
    except Exception as error:
        _report("Program failed with an unhandled exception:\n" + _user_traceback(error, directory))
    finally:
        pending = asyncio.all_tasks(loop)
        for task in pending:
            task.cancel()
        loop.run_until_complete(asyncio.gather(*pending, return_exceptions=True))
        sys.stdout.flush()
        sys.stderr.flush()
    return REPORTED


def _run(program: str) -> None:
    runpy.run_path(program, run_name="__main__")


def _report(text: str) -> None:
    try:
        pulumi.log.error(text)
    except Exception:  # The engine is gone: it was interrupted, or told the user already.
        print(text, file=sys.stderr)


def _user_traceback(error: BaseException, directory: str) -> str:
    """The traceback from the program's first own line on; all of it when none of it is the program's."""
    here, packages = os.path.realpath(__file__), os.path.realpath(sys.prefix)
    first = error.__traceback__
    while first is not None:
        name = first.tb_frame.f_code.co_filename
        file = "" if name.startswith("<") else os.path.realpath(name)
        # A virtual environment usually lies inside the project's directory, and so does this file.
        if file.startswith(os.path.realpath(directory)) and file != here and not file.startswith(packages):
            break
        first = first.tb_next
    return "".join(traceback.format_exception(type(error), error, first or error.__traceback__))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1], sys.argv[2], sys.argv[3:]))
