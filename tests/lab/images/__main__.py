"""python -m tests.lab.images build|check|list|clean [NAME...]"""

from __future__ import annotations

import argparse
import sys

from tests.lab.errors import LabError
from tests.lab.images import build
from tests.lab.images.contract import images


def main(arguments: list[str] | None = None) -> int:
    """Run one command; what goes wrong is one sentence and exit code 1."""
    parser = argparse.ArgumentParser(prog="python -m tests.lab.images", description=__doc__)
    parser.add_argument("command", choices=["build", "check", "list", "clean"])
    parser.add_argument("names", nargs="*", metavar="NAME", help="images; all of them without a name")
    given = parser.parse_args(arguments)
    try:
        match given.command:
            case "build":
                for tar in build.tars(given.names):
                    print(tar)
            case "list":
                for image in images().values():
                    print(f"{image.name:18} {image.inside}")
            case "clean":
                for folder in build.clean():
                    print(f"removed {folder}")
            case "check":
                from tests.lab.images import check

                return check.run(given.names or list(images()))
    except LabError as error:
        print(f"lab images: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
