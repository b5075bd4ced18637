"""Read by every Python that a replayed command starts: days of the page have passed for the project's own commands.

The program that the engine runs has no clock, and gRPC beside it would lose its own.
"""

import contextlib
import datetime
import os
import sys

DAYS = int(os.environ.get("KOLAB_REPLAY_DAYS", "0"))

if DAYS and "ops" in sys.orig_argv:
    # The system's own Python, which only looks for pulumi, has no such module and needs none.
    with contextlib.suppress(ModuleNotFoundError):
        import time_machine

        time_machine.travel(datetime.datetime.now(datetime.UTC) + datetime.timedelta(days=DAYS)).start()
