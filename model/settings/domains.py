"""What one domain has of its own."""

from __future__ import annotations

from model.settings.base import Section
from model.settings.dns import Caa
from model.settings.mail import Dmarc, OtherMx, Senders


class DomainSettings(Section):
    """Whatever is given replaces what `kolab:mail` or `kolab:dns` says for all domains."""

    senders: Senders | None = None
    """Others who send in the name of this domain."""
    dmarc: Dmarc | None = None
    """DMARC policy of this domain."""
    other_mx: tuple[OtherMx, ...] | None = None
    """Servers of somebody else beside ours in the MX of this domain."""
    caa: Caa | None = None
    """Certification authorities of this domain's names beside ours."""
