"""Lab images: what upstream's images promise and demand, with Debian's daemons inside.

`tars()` gives what a node has to import, in that order. Start with README.md: it says which daemons are real.
"""

from __future__ import annotations

from tests.lab.images.build import tars
from tests.lab.images.contract import Image, images

__all__ = ["Image", "images", "tars"]
