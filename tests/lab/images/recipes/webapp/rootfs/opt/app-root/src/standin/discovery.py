"""What mail clients ask to set themselves up, from the APP_DISCOVERY_* variables."""

from __future__ import annotations

import os
import re
from urllib.parse import urlsplit

_DEFAULTS = {
    "ACTIVESYNC": "activesync.%h",
    "IMAP": "ssl://imap.%h:993",
    "POP3": "ssl://pop3.%h:995",
    "SMTP": "ssl://smtp.%h:465",
}
"""Upstream's own; most of these hosts exist nowhere, which is why the variables matter."""

_SOCKETS = {"ssl": "SSL", "tls": "STARTTLS"}


def server(protocol: str, host: str, domain: str) -> str:
    """The value of one protocol; empty when it is switched off."""
    value = os.environ.get(f"APP_DISCOVERY_{protocol}", _DEFAULTS[protocol])
    return value.replace("%h", host).replace("%d", domain)


def mozilla(host: str, address: str) -> bytes:
    """config-v1.1.xml of Mozilla's autoconfiguration."""
    domain = address.rpartition("@")[2] or os.environ["APP_DOMAIN"]
    parts = []
    for protocol, tag in (("IMAP", "incomingServer"), ("POP3", "incomingServer"), ("SMTP", "outgoingServer")):
        found = urlsplit(server(protocol, host, domain))
        if found.hostname:
            parts.append(
                f'<{tag} type="{protocol.lower()}"><hostname>{found.hostname}</hostname><port>{found.port}</port>'
                f"<socketType>{_SOCKETS.get(found.scheme, 'plain')}</socketType>"
                f"<authentication>password-cleartext</authentication><username>{address}</username></{tag}>"
            )
    body = f'<emailProvider id="{domain}"><domain>{domain}</domain>{"".join(parts)}</emailProvider>'
    return f'<?xml version="1.0"?><clientConfig version="1.1">{body}</clientConfig>'.encode()


def microsoft(host: str, request: bytes) -> bytes | None:
    """Autodiscover for ActiveSync; None when it is switched off or the request names nobody."""
    asked = re.search(rb"<EMailAddress>([^<]+)</EMailAddress>", request)
    name = server("ACTIVESYNC", host, os.environ["APP_DOMAIN"])
    if not asked or not name:
        return None
    url = f"https://{name}/Microsoft-Server-ActiveSync"
    return f'<?xml version="1.0"?><Autodiscover><Response><Action><Settings><Server><Type>MobileSync</Type><Url>{url}</Url></Server></Settings></Action></Response></Autodiscover>'.encode()
