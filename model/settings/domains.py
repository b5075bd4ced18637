"""What one domain has of its own."""

from __future__ import annotations

from typing import Literal

from model.settings.base import Section
from model.settings.dns import Caa
from model.settings.mail import Dmarc, MtaSts, OtherMx, Senders
from model.types import Email


class DomainSettings(Section):
    """Whatever is given replaces what `kolab:mail` or `kolab:dns` says for all domains."""

    stage: Literal["hold", "shadow", "live"] | None = None
    """Whether the world may send this domain's mail here: `hold` publishes no MX, `shadow` adds ours behind the servers in `otherMx`, which stay first and keep their MTA-STS policy and mail clients, `live` leads everything here. Default: mail.mx.stage."""
    senders: Senders | None = None
    """Others who send in the name of this domain."""
    dmarc: Dmarc | None = None
    """DMARC policy of this domain."""
    mta_sts: MtaSts | None = None
    """MTA-STS policy of this domain, with stages and waits of its own; it allows our MX and those in this domain's otherMx."""
    other_mx: tuple[OtherMx, ...] | None = None
    """Servers of somebody else beside ours in the MX of this domain."""
    caa: Caa | None = None
    """Certification authorities of this domain's names beside ours."""
    tls_rpt: Email | None = None
    """Where TLS reports about this domain go. Default: mail.reports.tlsRpt."""
