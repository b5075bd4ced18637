"""`python3 -m toolchain ensure [--tests] [--refresh]` and `python3 -m toolchain run -- COMMAND ...`."""

from __future__ import annotations

import argparse
import os
import sys

from . import env
from .ensure import NotReady, ensure, ensure_test_tool


def main(argv: list[str]) -> int:
    """Exit code 1 and one sentence when something cannot be had."""
    parser = argparse.ArgumentParser(prog="python3 -m toolchain", description="Gets pulumi and its plugins.")
    commands = parser.add_subparsers(dest="command", required=True)
    get = commands.add_parser("ensure", help="make pulumi and its plugins available")
    get.add_argument("--tests", action="store_true", help="also the programs that only tests need")
    get.add_argument(
        "--only",
        metavar="TOOL",
        help="one of the programs that only tests need, and nothing else; prints where it is",
    )
    get.add_argument(
        "--refresh", action="store_true", help="try downloads again that failed less than a day ago"
    )
    run = commands.add_parser("run", help="run a command in an environment that finds them")
    run.add_argument("argv", nargs=argparse.REMAINDER, metavar="-- COMMAND ...")
    args = parser.parse_args(argv)
    try:
        if args.command == "ensure" and args.only:
            print(ensure_test_tool(args.only, _say))
            return 0
        if args.command == "ensure":
            found = ensure(_say, tests=args.tests, refresh=args.refresh)
            _say(f"pulumi is {found.pulumi}")
            return 0
        command = args.argv[1:] if args.argv[:1] == ["--"] else args.argv
        if not command:
            parser.error("say what to run: `run -- pulumi up`")
        environment = env.environment()
        os.execvpe(command[0], command, environment)  # noqa: S606 - the operator's own command
    except NotReady as reason:
        _say(str(reason))
        return 1
    except FileNotFoundError as error:
        _say(f"{error.filename} was not found")
        return 127


def _say(text: str) -> None:
    # stderr, so that the output of `run -- pulumi ... --json` stays pure.
    print(f"toolchain: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
