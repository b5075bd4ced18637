"""The internet's DNS servers: BIND with its own root zone, so that nothing but what was loaded exists.

Pods reach the first through CoreDNS, which forwards everything outside the cluster; the internet client asks it directly. The
second holds the same zones at another address. Where zones are vouched for, a resolver at a third one validates.
"""

from __future__ import annotations

import base64
import re
import secrets
import shutil
from collections.abc import Collection, Mapping
from pathlib import Path

from tests.lab import network
from tests.lab.errors import LabError
from tests.lab.processes import Daemon, in_namespace, run
from tests.lab.progress import wait_until
from tests.lab.settings import Settings
from tests.lab.signed_zones import SignedZones

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
        self.address, self.second = settings.internet_dns, settings.internet_second
        self.resolver = settings.internet_resolver
        self.daemon = Daemon("internet-dns", state)
        self._home = state / "dns"
        self._signed = SignedZones(self._home / "signed")

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

    def vouch(self, zones: Collection[str], *, forged: Collection[str] = ()) -> None:
        """From now on these are signed, whatever is loaded, and a signed root leads to them; none: no zone and no root is.
        They take no updates meanwhile. The resolver answers as long as there are any.

        Of those that are `forged` the root knows another key.
        """
        self._vouched.write_text("".join(f"{zone} {zone in forged}\n" for zone in sorted(zones)))
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
    def _vouched(self) -> Path:
        return self._home / "vouched"

    @property
    def _program(self) -> Path:
        return self._home / "named"

    def _restart(self) -> None:
        """A fresh process: `reload` tells nobody when it is done."""
        self.daemon.stop(kill=True)
        # What was changed since belongs to zones that may not be the same any more.
        shutil.rmtree(self._home / "journals", ignore_errors=True)
        (self._home / "journals").mkdir()
        (self._home / "named.conf").write_text(self._configuration())
        mark = len(self.daemon.last_words(_EVERYTHING))
        self.daemon.start(
            in_namespace(network.INTERNET, [self._program, "-g", "-n", "1", "-c", self._home / "named.conf"])
        )
        wait_until("the internet's DNS server runs", lambda: self._runs(mark), every=0.05)

    def _configuration(self) -> str:
        files = {path.name: path for path in sorted(self._zones.iterdir())}
        lines = self._vouched.read_text().splitlines() if self._vouched.exists() else []
        vouched = {zone: forged == "True" for zone, forged in map(str.split, lines) if zone in files}
        signed = {zone: self._signed.file(zone, files[zone].read_text()) for zone in vouched}
        resolver = ""
        if vouched:
            signed["root"] = self._signed.file(".", self._root(vouched))
            resolver = self._validating()
        zones = [(_name(file), signed.get(file), path) for file, path in files.items()]
        return f"""
            options {{
              directory "{self._home}";
              listen-on {{ {self.address}; {self.second}; {self.resolver}; }};
              listen-on-v6 {{ none; }};
              pid-file none;
              session-keyfile none;
              allow-query {{ any; }};
              empty-zones-enable no;
              notify no;
            }};
            controls {{ }};
            key {UPDATES} {{ algorithm hmac-sha256; secret "{self.update_key}"; }};
            view first {{
              match-destinations {{ {self.address}; }};
              recursion yes;
              allow-recursion {{ any; }};
              dnssec-validation no;
              {"".join(self._zone(*each) for each in zones)}
            }};
            view second {{
              match-destinations {{ {self.second}; }};
              recursion no;
              {"".join(f'zone "{name}" {{ in-view first; }};' for name, *_ in zones)}
            }};
            {resolver}
        """

    def _zone(self, name: str, signed: Path | None, plain: Path) -> str:
        if signed:
            return f'zone "{name}" {{ type primary; file "{signed}"; }};\n'
        return (
            f'zone "{name}" {{ type primary; file "{plain}"; journal "{self._home}/journals/{plain.name}";'
            f" allow-update {{ key {UPDATES}; }}; }};\n"
        )

    def _root(self, vouched: Mapping[str, bool]) -> str:
        """One that delegates every zone, with the keys of those that are vouched for."""
        zones = self.zones
        # What lies below another zone is that one's to delegate.
        cuts = [each for each in zones if not any(each.endswith(f".{other}") for other in zones)]
        delegations = "".join(f"{zone}. NS ns.invalid.\n" for zone in cuts)
        keys = [self._signed.ds("." if forged else zone, zone) for zone, forged in vouched.items()]
        return _ROOT_ZONE.format(address=self.address) + delegations + "".join(keys)

    def _validating(self) -> str:
        """A resolver that knows nothing but the root's address and key."""
        tag, algorithm, kind, digest = self._signed.ds(".").split(maxsplit=6)[3:]
        hints = self._home / "hints"
        hints.write_text(f". 60 NS ns.invalid.\nns.invalid. 60 A {self.address}\n")
        return f"""
            view resolver {{
              match-destinations {{ {self.resolver}; }};
              recursion yes;
              allow-recursion {{ any; }};
              dnssec-validation yes;
              trust-anchors {{ "." static-ds {tag} {algorithm} {kind} "{digest.replace(" ", "").strip()}"; }};
              zone "." {{ type hint; file "{hints}"; }};
            }};
        """

    def _runs(self, mark: int) -> bool:
        self.daemon.check()
        said = self.daemon.last_words(_EVERYTHING)[mark:]
        if refused := [line for line in said.splitlines() if "not loaded due to errors" in line]:
            raise LabError(f"the internet's DNS server: {refused[0]}")
        return "all zones loaded" in said


def _name(file: str) -> str:
    return "." if file == "root" else file
