"""`python -m tests.lab up|down|status|build|logs`: a cluster of real nodes on this machine."""

from __future__ import annotations

import argparse
import dataclasses
import sys
from pathlib import Path
from typing import get_args

from tests.lab.cluster import Lab, end_on_signals
from tests.lab.errors import LabError
from tests.lab.progress import Clock
from tests.lab.settings import ProxyMode, Settings


def main(argv: list[str]) -> int:
    """Exit code 1 and a sentence when something cannot be done."""
    options = _parser().parse_args(argv)
    clock = Clock()
    end_on_signals()
    try:
        if options.command == "build":
            Lab(say=clock.say).build()
        elif options.command == "up":
            lab = Lab(_settings(options), clock.say).up()
            clock.say("up")
            print(f"export KUBECONFIG={lab.kubeconfig}")
        elif options.command == "down":
            Lab(say=clock.say).down()
            clock.say("nothing is left of it")
        else:
            return _look(options)
    except LabError as error:
        clock.say(str(error))
        return 1
    except KeyboardInterrupt:
        clock.say("interrupted; what was begun is removed")
        return 130
    return 0


def _look(options: argparse.Namespace) -> int:
    lab = Lab.running()
    if lab is None:
        print("there is no lab on this machine", file=sys.stderr)
        return 1
    if options.command == "logs":
        lab.logs(options.directory)
        print(options.directory)
        return 0
    for daemon in lab.daemons:
        print(f"{daemon.name:28} {daemon.pid or 'ended'}")
    print(lab.kubectl("get", "nodes,pods", "-A", "-o", "wide"))
    print(f"export KUBECONFIG={lab.kubeconfig}")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("build", help="build the programs, once per user")
    up = commands.add_parser("up", help="start the cluster")
    default = Settings()
    up.add_argument("--nodes", type=int, default=default.nodes)
    up.add_argument("--proxy-mode", choices=get_args(ProxyMode), default=default.proxy_mode)
    for name in ("segment", "load_balancer", "pods", "services", "internet"):
        up.add_argument(
            f"--{name.replace('_', '-')}", default=getattr(default, name), help="default: %(default)s"
        )
    up.add_argument("--egress", action="append", metavar="NODE=ADDRESS",
                    help="what the internet sees of a node; once per node")  # fmt: skip
    commands.add_parser("down", help="remove it, whatever is there")
    commands.add_parser("status", help="what runs")
    commands.add_parser("logs", help="collect logs and objects").add_argument("directory", type=Path)
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    names = {field.name for field in dataclasses.fields(Settings)} - {"egress"}
    given = {name: getattr(options, name) for name in names}
    if options.egress:
        pairs = [entry.partition("=") for entry in options.egress]
        given["egress"] = {node: address for node, _, address in pairs}
    return Settings(**given)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
