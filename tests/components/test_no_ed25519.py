"""Amavis signs with RSA alone: why no Ed25519 key can stand beside (docs/how-to/rotate-dkim-keys.md)."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ed25519
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tests.identity import keys

pytestmark = pytest.mark.thorough


def _configured(key: bytes, folder: Path) -> subprocess.CompletedProcess[str]:
    """What Amavis says of one key that its configuration names."""
    path, configuration = folder / "key.pem", folder / "amavisd.conf"
    path.write_bytes(key)
    configuration.write_text(f"use strict;\ndkim_key('example.org', 'k1', '{path}');\n1;\n")
    return subprocess.run(
        ["/usr/sbin/amavisd", "-c", str(configuration), "showkeys"],
        text=True,
        capture_output=True,
        check=False,
    )


def test_amavis_reads_an_rsa_key(tmp_path: Path) -> None:
    done = _configured(keys.pem(), tmp_path)
    assert done.returncode == 0, done.stderr


def test_amavis_reads_no_ed25519_key(tmp_path: Path) -> None:
    key = ed25519.Ed25519PrivateKey.generate()
    done = _configured(key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()), tmp_path)
    assert done.returncode != 0
    assert "expecting an rsa key" in done.stdout
