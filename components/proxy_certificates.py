"""Which certificate nginx shows to a browser: hosted domains have their own, read anew at each handshake.

So a renewal restarts nothing, and where a domain's certificate is not there yet, only its own names are turned away.
The proxies of IMAP and submission have no such choice: they are for names of ours.
"""

from __future__ import annotations

from collections.abc import Mapping

from components.proxy_edge import key


def http_configuration(own: str, folders: Mapping[str, str]) -> str:
    """What holds for all of HTTP. `own` is the folder of the proxy's certificate, `folders` that of each other host."""
    if not folders:
        return ""
    hosts = "".join(f"  {key(host)} {folder};\n" for host, folder in folders.items())
    return f"map $ssl_server_name $kolab_certificate {{\n  default {own};\n{hosts}}}\n"


def server_configuration(folders: Mapping[str, str]) -> str:
    """What holds inside the server of the image, which names the proxy's certificate: of two of a kind the last is shown."""
    if not folders:
        return ""
    return "ssl_certificate $kolab_certificate/tls.crt;\nssl_certificate_key $kolab_certificate/tls.key;\n"
