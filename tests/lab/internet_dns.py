"""The internet's DNS server: BIND with its own root zone, so that nothing but what was loaded exists.

Pods reach it through CoreDNS, which forwards everything outside the cluster; the internet client asks it directly.
"""

from __future__ import annotations

import base64
import re
import secrets
import shutil
from collections.abc import Mapping
from pathlib import Path

from tests.lab import network
from tests.lab.errors import LabError
from tests.lab.processes import Daemon, in_namespace, run
from tests.lab.progress import wait_until
from tests.lab.settings import Settings

# A TTL of a second for what does not exist: tests load zones after they have looked.
_EVERYTHING = 1_000_000
_ROOT_ZONE = """\
$TTL 1
@ SOA ns.invalid. hostmaster.invalid. 1 3600 600 86400 1
@ NS ns.invalid.
ns.invalid. A {address}
"""


UPDATES = "updates"
"""Name of the key (TSIG, HMAC-SHA256) with which whoever has it changes any zone (RFC 2136), until zones are loaded again."""


class InternetDns:
    """Zones can be loaded at any time while it runs."""

    def __init__(self, state: Path, settings: Settings) -> None:
        self.address = settings.internet_dns
        self.daemon = Daemon("internet-dns", state)
        self._home = state / "dns"

    @property
    def update_key(self) -> str:
        """The secret of the key `UPDATES`, in base64."""
        return (self._home / "updates.key").read_text()

    def up(self) -> None:
        """Start it with the zones that were loaded before, if any."""
        self._zones.mkdir(parents=True, exist_ok=True)
        if not (self._home / "updates.key").exists():
            (self._home / "updates.key").write_text(base64.b64encode(secrets.token_bytes(32)).decode())
        # AppArmor lets /usr/sbin/named read Debian's own directories only; a copy elsewhere is not meant.
        shutil.copy(
            shutil.which("named", path="/usr/sbin:/usr/local/sbin:/usr/bin") or "named", self._program
        )
        self.root(None)

    @property
    def zones(self) -> list[str]:
        """Names of all zones but the root."""
        return sorted(path.name for path in self._zones.iterdir() if path.name != "root")

    def root(self, text: str | None) -> None:
        """Another root zone, as one that is signed; None: its own, which delegates nothing."""
        (self._zones / "root").write_text(text or _ROOT_ZONE.format(address=self.address))
        self._restart()

    def load(self, zones: Mapping[str, str]) -> None:
        """Add zones, or replace those of the same name: name -> zone file. Refused zones are named with the reason."""
        scratch = self._home / "checked"
        for name, text in zones.items():
            if not re.fullmatch(r"[a-z0-9_.-]+", name.lower()):
                raise LabError(f"{name!r} is no zone")
            scratch.write_text(text)
            run(["named-checkzone", name, scratch])
        for name, text in zones.items():
            (self._zones / name.rstrip(".").lower()).write_text(text)
        self._restart()

    def clear(self) -> None:
        """Forget all zones."""
        for path in self._zones.iterdir():
            if path.name != "root":
                path.unlink()
        self._restart()

    @property
    def _zones(self) -> Path:
        return self._home / "zones"

    @property
    def _program(self) -> Path:
        return self._home / "named"

    def _restart(self) -> None:
        """A fresh process: `reload` tells nobody when it is done."""
        self.daemon.stop(kill=True)
        # What was changed since belongs to zones that may not be the same any more.
        shutil.rmtree(self._home / "journals", ignore_errors=True)
        (self._home / "journals").mkdir()
        zones = "\n".join(
            f'zone "{"." if path.name == "root" else path.name}" {{ type primary; file "{path}";'
            f' journal "{self._home}/journals/{path.name}"; allow-update {{ key {UPDATES}; }}; }};'
            for path in sorted(self._zones.iterdir())
        )
        (self._home / "named.conf").write_text(f"""
            options {{
              directory "{self._home}";
              listen-on {{ {self.address}; }};
              listen-on-v6 {{ none; }};
              pid-file none;
              session-keyfile none;
              recursion yes;
              allow-query {{ any; }};
              allow-recursion {{ any; }};
              dnssec-validation no;
              empty-zones-enable no;
              notify no;
            }};
            controls {{ }};
            key {UPDATES} {{ algorithm hmac-sha256; secret "{self.update_key}"; }};
            {zones}
        """)
        mark = len(self.daemon.last_words(_EVERYTHING))
        self.daemon.start(
            in_namespace(network.INTERNET, [self._program, "-g", "-n", "1", "-c", self._home / "named.conf"])
        )
        wait_until("the internet's DNS server runs", lambda: self._runs(mark), every=0.05)

    def _runs(self, mark: int) -> bool:
        self.daemon.check()
        said = self.daemon.last_words(_EVERYTHING)[mark:]
        if refused := [line for line in said.splitlines() if "not loaded due to errors" in line]:
            raise LabError(f"the internet's DNS server: {refused[0]}")
        return "all zones loaded" in said
