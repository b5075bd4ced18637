"""Every check of the doctor, once."""

from __future__ import annotations

from ops.doctor.check import Check
from ops.doctor.checks import (
    discovery,
    dkim,
    dmarc,
    doors,
    mta_sts,
    published,
    reputation,
    reverse,
    smtp,
    spf,
    trust,
    web,
    zones,
)

_MODULES = (
    zones,
    published,
    spf,
    dkim,
    dmarc,
    reverse,
    smtp,
    mta_sts,
    trust,
    doors,
    discovery,
    web,
    reputation,
)

CHECKS: tuple[Check, ...] = tuple(check for module in _MODULES for check in module.CHECKS)
