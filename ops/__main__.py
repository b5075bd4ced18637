"""`./kolab <command>`: see docs/reference/commands.md."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence

from model.stack_file import StackFileError
from ops import deploy, dkim, dns, generate, rehearse, render, secrets, tlsa
from ops.stacks import StackProblem


def parser() -> argparse.ArgumentParser:
    """Every command and its arguments."""
    made = argparse.ArgumentParser(prog="./kolab", description="Day-2 work on a stack.")
    commands = made.add_subparsers(dest="command", required=True)
    for module in (deploy, dkim, dns, generate, rehearse, render, secrets, tlsa):
        module.add_command(commands)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Runs one command; what goes wrong is one sentence and exit code 1."""
    options = parser().parse_args(arguments)
    try:
        options.run(options)
    except (StackFileError, StackProblem) as problem:
        print(f"{options.command}: {problem}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # The reader, such as `head`, has seen enough.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    return 0


if __name__ == "__main__":
    sys.exit(main())
