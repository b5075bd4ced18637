"""The MTA-STS policies that nginx serves: one for all domains, and those that a domain has of its own."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field

from components.proxy_edge import key

_SHARED = "mta-sts.txt"


@dataclass(frozen=True, kw_only=True)
class Policies:
    """Texts as senders get them. `own` are of hosts that do not serve the shared one; None is no policy."""

    shared: str | None
    own: Mapping[str, str | None] = field(default_factory=dict)

    @property
    def files(self) -> dict[str, str]:
        """File -> its text."""
        every = {_SHARED: self.shared, **{_file(text): text for text in self.own.values()}}
        return {name: text for name, text in every.items() if text is not None}


def _file(text: str | None) -> str:
    return f"{hashlib.sha256(text.encode()).hexdigest()[:16]}.txt" if text is not None else ""


def http_configuration(policies: Policies) -> str:
    """Which policy a host serves, where not all serve one."""
    if not policies.own:
        return ""
    default = f'  default "{_SHARED if policies.shared is not None else ""}";\n'
    hosts = "".join(f'  {key(host)} "{_file(text)}";\n' for host, text in sorted(policies.own.items()))
    return f"map $host $kolab_policy {{\n{default}{hosts}}}\n"


def server_configuration(policies: Policies, folder: str) -> str:
    """The one page; `folder` has the files."""
    # The application's own default policy names the wrong MX and says enforce. A code other than 404: the image would
    # fetch its page for that from the web application.
    gone = "return 410;"
    if not policies.files:
        page = gone
    elif not policies.own:
        page = f"default_type text/plain; alias {folder}/{_SHARED};"
    else:
        page = f'if ($kolab_policy = "") {{ {gone} }} default_type text/plain; alias {folder}/$kolab_policy;'
    return f"location = /.well-known/mta-sts.txt {{ {page} }}\n"
