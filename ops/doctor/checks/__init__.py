"""Every check of the doctor, once."""

from __future__ import annotations

from ops.doctor.check import Check
from ops.doctor.checks import clients, published, receiving, reputation, sending, zones

CHECKS: tuple[Check, ...] = (
    *zones.CHECKS,
    *published.CHECKS,
    *sending.CHECKS,
    *receiving.CHECKS,
    *clients.CHECKS,
    *reputation.CHECKS,
)
