"""Every secret has a form and a least length, whoever made it; what is said names the key and never the value."""

from __future__ import annotations

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from model import secret_values
from model.secrets import CATALOGUE, FORMATS, Format, Secret, dkim_key, secrets
from model.stack_file import StackFileError, load
from tests.engine.sentinels import sentinel
from tests.model.files import Raw, raw, settings

pytestmark = pytest.mark.security

EVERY: Raw = {
    "network/egress": {"mode": "relay", "host": "relay.example.net", "username": "kolab"},
    "external": {"s3": {"endpoint": "https://s3.example.net", "bucket": "kolab", "cidr": "198.51.100.34/32"}},
}
"""Changes that make the shipped cluster need what is somebody else's to give."""

CATALOGUED = [entry.secret for entry in CATALOGUE]
TEXTS = [secret for secret in CATALOGUED if secret.format not in secret_values.KEY_PAIRS]
KEYS = [*(secret for secret in CATALOGUED if secret.format in secret_values.KEY_PAIRS), dkim_key("k202611")]


def pem(key: rsa.RSAPrivateKey | ec.EllipticCurvePrivateKey) -> str:
    return key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()  # fmt: skip


RSA_1024 = pem(rsa.generate_private_key(65537, 1024))  # noqa: S505 - too short on purpose
RSA_2048 = pem(rsa.generate_private_key(65537, 2048))
P_256 = pem(ec.generate_private_key(ec.SECP256R1()))
K_256 = pem(ec.generate_private_key(ec.SECP256K1()))
P_384 = pem(ec.generate_private_key(ec.SECP384R1()))


@pytest.mark.parametrize("secret", [*TEXTS, *KEYS], ids=lambda secret: secret.key)
def test_what_is_made_may_be_used(secret: Secret) -> None:
    assert secret_values.complaint(secret, sentinel(secret)) is None


@pytest.mark.parametrize("secret", [*TEXTS, *KEYS], ids=lambda secret: secret.key)
def test_an_empty_secret_is_refused(secret: Secret) -> None:
    assert "is empty" in (secret_values.complaint(secret, "") or "")


@pytest.mark.parametrize("secret", TEXTS, ids=lambda secret: secret.key)
def test_a_secret_of_two_letters_is_refused(secret: Secret) -> None:
    assert secret_values.complaint(secret, "ab")


@pytest.mark.parametrize(
    "spoilt",
    ["{}\n", "{}\r\n", "\n{}", "{}\nno-auth", "{}\x00", "{}\x1b[0m", "{} ", " {}", "{} {}", "{}\u2028", "{}ü", "{}\x7f"],
)  # fmt: skip
@pytest.mark.parametrize("secret", TEXTS, ids=lambda secret: secret.key)
def test_line_ends_spaces_and_control_characters_are_refused(secret: Secret, spoilt: str) -> None:
    value = spoilt.replace("{}", sentinel(secret))
    found = secret_values.complaint(secret, value)
    assert found
    assert sentinel(secret) not in found


@pytest.mark.parametrize("sign", ["'", '"', "\\", "$", "`", "|", "&", ";", ":", "#", "%", "{{", "@", "*"])
@pytest.mark.parametrize(
    "secret", [s for s in TEXTS if s.format in ("password", "hex", "uuid", "appKey", "desKey")], ids=lambda s: s.key
)  # fmt: skip
def test_signs_that_some_language_reads_are_refused(secret: Secret, sign: str) -> None:
    value = sentinel(secret)
    assert secret_values.complaint(secret, value[:-1] + sign)


@pytest.mark.parametrize("secret", TEXTS, ids=lambda secret: secret.key)
def test_a_secret_without_end_is_refused(secret: Secret) -> None:
    assert secret_values.complaint(secret, sentinel(secret) * 20)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("password", "a" * 15),
        ("password", "-" + "a" * 20),
        ("password", "a" * 73),
        ("hex", "a" * 31),
        ("desKey", "a" * 23),
        ("desKey", "a" * 28),
        ("desKey", "=" * 24),
        ("appKey", "base64:" + "a" * 42 + "="),
        ("uuid", "0" * 32),
        ("cloudflareToken", "a" * 37),
        ("relayPassword", "short12"),
        ("s3AccessKey", "ab"),
        ("s3SecretKey", "a" * 15),
    ],
)
def test_the_least_and_the_largest_length_hold(kind: Format, value: str) -> None:
    assert secret_values.complaint(Secret("x", kind, ""), value)


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        ("rsa2048", RSA_1024),
        ("rsa2048", P_256),
        ("rsa4096", RSA_1024),
        ("rsa4096", P_256),
        ("ecP256", RSA_2048),
        ("ecP256", P_384),
        ("ecP256", K_256),
        ("rsa2048", RSA_2048 + RSA_2048),
        ("rsa2048", "export X=1\n" + RSA_2048),
        ("rsa2048", RSA_2048 + "tls.key: x\n"),
        ("rsa2048", RSA_2048[:200]),
    ],
)
def test_a_private_key_of_another_kind_or_size_or_beside_other_text_is_refused(
    kind: Format, value: str
) -> None:
    assert secret_values.complaint(Secret("x", kind, ""), value)


def test_a_brought_in_dkim_key_may_have_windows_line_ends() -> None:
    assert secret_values.complaint(dkim_key("k1"), RSA_2048.replace("\n", "\r\n")) is None


@pytest.mark.parametrize("secret", secrets(settings("cluster", EVERY)), ids=lambda secret: secret.key)
def test_the_program_names_the_key_and_never_the_value(secret: Secret) -> None:
    values = raw("cluster", EVERY)
    keys = [each.key for each in secrets(settings("cluster", EVERY))]
    hostile = "hunter2\nno-auth"
    stored = {secret.key: hostile}
    with pytest.raises(StackFileError) as caught:
        load(values | {key: {"secure": "v1:x"} for key in keys}, keys, plaintext=stored.get)
    told = [str(finding) for finding in caught.value.findings if finding.severity == "error"]
    assert [line.partition(": ")[0] for line in told] == [f"kolab:{secret.key}"]
    assert "hunter2" not in str(caught.value)


def test_every_format_asks_for_a_length() -> None:
    short = [
        name for name, shape in FORMATS.items() if name not in secret_values.KEY_PAIRS and _takes(name, "a")
    ]
    assert short == []


def _takes(kind: Format, value: str) -> bool:
    return secret_values.complaint(Secret("x", kind, ""), value) is None
