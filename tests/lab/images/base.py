"""The one root file system that all lab images share: Debian packages, installed once by mmdebstrap.

Images differ in their top layer only, so that a node unpacks the packages a single time.
"""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

SUITE = "bookworm"

PACKAGES = {
    "tools": "bash busybox-static ca-certificates curl iproute2 openssl procps tini",
    "stand-ins": "python3-minimal python3-pymysql",
    "mariadb": "mariadb-server",
    "redis": "redis-server",
    "postfix": "postfix postfix-mysql libsasl2-modules",
    "amavis": "amavisd-new spamassassin libdbd-mysql-perl libmail-dkim-perl",
    "imap": "cyrus-imapd cyrus-caldav cyrus-clients cyrus-admin sasl2-bin",
    "proxy": "nginx-light libnginx-mod-mail libnginx-mod-stream",
    "roundcube": "roundcube-core roundcube-mysql php8.2-fpm php8.2-mysql php8.2-mbstring php8.2-xml php8.2-intl php8.2-curl php8.2-zip",
    "coturn": "coturn",
    "meet": "nodejs",
    "unbound": "unbound ldnsutils",
}
"""Why a package is there -> the packages."""

_EXCLUDED = (
    "/usr/share/man/*",
    "/usr/share/doc/*",
    "/usr/share/locale/*",
    "/usr/share/info/*",
    # Programs that nothing here runs: 230 MB.
    "/usr/bin/aria_*",
    "/usr/bin/myisam*",
    *(f"/usr/bin/{tool}" for tool in ("perror", "innochecksum", "replace", "resolve_stack_dump")),
    *(f"/usr/bin/mariadb-{tool}" for tool in ("binlog", "check", "conv", "import", "plugin", "show", "slap")),
    *(f"/usr/bin/mariadb-{tool}" for tool in ("tzinfo-to-sql", "upgrade", "waitpid", "backup")),
)

_ANSWERS = (
    # Otherwise the package tries to create its database on a server that does not run.
    "roundcube-core roundcube/dbconfig-install boolean false",
    "postfix postfix/main_mailer_type select No configuration",
)

_CLEANUP = (
    'rm -rf "$1"/var/cache/apt/*.bin "$1"/var/lib/apt/lists/* "$1"/var/log/* "$1"/var/lib/mysql/* "$1"/usr/share/zoneinfo/right',
    # Users of the upstream images: sclorg's MariaDB is uid 27, OpenShift-style images run as 1001.
    'chroot "$1" usermod -u 27 mysql',
    'chroot "$1" groupadd -g 1001 default && chroot "$1" useradd -M -d /opt/app-root -u 1001 -g 1001 -s /bin/bash default',
    'chroot "$1" useradd -r -M -s /usr/sbin/nologin clamupdate',
    'mkdir -p "$1"/opt/app-root/src "$1"/etc/pki "$1"/usr/libexec',
)


def sources() -> list[str]:
    """The machine's own Debian sources, so that a mirror that apt knows is used here, too."""
    for path in (Path("/etc/apt/sources.list.d/debian.sources"), Path("/etc/apt/sources.list")):
        if path.is_file() and SUITE in path.read_text():
            return [str(path)]
    return []


def command(target: Path) -> list[str]:
    """The mmdebstrap call that fills `target`."""
    packages = ",".join(" ".join(PACKAGES.values()).split())
    arguments = ["mmdebstrap", "--variant=essential", "--mode=root", f"--include={packages}"]
    arguments += [f"--dpkgopt=path-exclude={path}" for path in _EXCLUDED]
    arguments.append('--aptopt=APT::Install-Recommends "false"')
    answers = "\\n".join(_ANSWERS)
    arguments.append(f"--essential-hook=printf '{answers}\\n' | chroot \"$1\" debconf-set-selections")
    arguments += [f"--customize-hook={line}" for line in _CLEANUP]
    return [*arguments, SUITE, str(target), *sources()]


def build(target: Path, log: Path) -> None:
    """Fill the new folder `target`. Raises RuntimeError that names the log when packages cannot be installed."""
    if shutil.which("mmdebstrap") is None:
        raise RuntimeError(
            "mmdebstrap is not installed: apt-get install -y --no-install-recommends mmdebstrap"
        )
    with log.open("w") as out:
        done = subprocess.run(command(target), stdout=out, stderr=subprocess.STDOUT, check=False)
    if done.returncode:
        raise RuntimeError(f"mmdebstrap could not build the base: see {log}")
