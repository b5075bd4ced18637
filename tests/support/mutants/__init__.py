"""Images that nobody has published, by their names: what upstream may do next, or do wrong.

In each, one thing of generation A or B is different, or everything at once (generation C). Each is right in effect once our
scripts have adjusted it, or refused with a sentence; never does it run with half of its adjustments. Off-line the tests of
tests/components run them with the real daemons; those with `lab` also replace the images of a stack that serves
(tests/acceptance/test_image_mutants.py).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from tests.support.images import Mutant
from tests.support.mutants import amavis, generation_c, imap, postfix, proxy

MUTANTS: Mapping[str, Sequence[Mutant]] = {
    "proxy": (*proxy.MUTANTS, generation_c.PROXY),
    "imap": (*imap.MUTANTS, generation_c.IMAP),
    "postfix": (*postfix.MUTANTS, generation_c.POSTFIX),
    "amavis": (*amavis.MUTANTS, generation_c.AMAVIS),
}
