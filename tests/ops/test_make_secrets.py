"""`ops secrets`: what is missing is made in the right form; what is there stays."""

from __future__ import annotations

import base64
import datetime
import functools
import itertools
import re
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from model.keys import dkim_public_key, pairs, public_pem
from model.secrets import FORMATS, NAMES, Format, Secret
from model.settings import Settings
from model.shipped import is_shipped_key
from model.stack_file import StackFileError, load
from ops import secrets
from ops.__main__ import main
from ops.stacks import StackProblem
from tests.model.files import raw, refused, settings
from tests.ops.fakes import FakePulumi, stack_file

TODAY = datetime.date(2026, 11, 23)
PEM = ("rsa2048", "rsa4096", "ecP256")
TOKEN = "t" * 40


@functools.cache
def key(name: str) -> str:
    """A private key of the kind that its name begins with, in PEM; the same one each time."""
    made: Any = (
        rsa.generate_private_key(65537, 2048)
        if name.startswith("rsa")
        else ec.generate_private_key(ec.SECP256R1())
    )
    return made.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    ).decode()  # fmt: skip


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """RSA keys take seconds to make; here two quick ones are made, and handed out in turn."""
    _hand_out(monkeypatch, "ec-made", "ec-too")


@pytest.fixture
def rsa_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    """The same of the kind that a stack file must have."""
    _hand_out(monkeypatch, "rsa-made", "rsa-too")


def _hand_out(monkeypatch: pytest.MonkeyPatch, *names: str) -> None:
    turn = itertools.cycle(names)
    instead = {"rsa4096": lambda: key(names[0]), "rsa2048": lambda: key(next(turn))}
    monkeypatch.setattr(secrets, "_MAKERS", secrets._MAKERS | instead)


def new(base: str = "real", **changes: Any) -> dict[str, Any]:
    """A stack file without any keys, as an operator writes it."""
    gone = ("passportPublicKey", "mail/dkim", "mail/mx", "mail/mtaSts", "tlsa", "backup")
    return raw(base, {**dict.fromkeys(gone), **changes})


def fill(values: dict[str, Any], pulumi: FakePulumi, given: dict[str, str] | None = None) -> list[str]:
    """One run of the command: the keys that it wrote."""
    return filled(values, pulumi, given).written


def filled(values: dict[str, Any], pulumi: FakePulumi, given: dict[str, str] | None = None) -> secrets.Filled:
    """The same, and what is left to give."""
    return secrets.fill(stack_file(values, pulumi), pulumi, given=given or {}, today=TODAY)  # type: ignore[arg-type]


@pytest.mark.usefixtures("rsa_keys")
def test_after_one_run_the_stack_file_is_accepted() -> None:
    pulumi = FakePulumi()
    fill(new(), pulumi, {"cloudflareApiToken": TOKEN})
    done = stack_file(new(), pulumi)
    load(done.values, done.secret_keys, plaintext=pulumi.stored.get)


@pytest.mark.usefixtures("rsa_keys")
def test_a_second_run_writes_nothing() -> None:
    pulumi = FakePulumi()
    fill(new(), pulumi)
    before = list(pulumi.calls)
    assert fill(new(), pulumi) == []
    assert pulumi.calls == before


def test_what_is_there_is_never_overwritten_not_even_by_what_is_brought_in() -> None:
    pulumi = FakePulumi(stored={"databasePassword": "old"})
    fill(new(), pulumi, {"databasePassword": "new-and-long-enough"})
    assert pulumi.stored["databasePassword"] == "old"


def test_the_salt_is_first_and_each_public_half_follows_its_private_one() -> None:
    pulumi = FakePulumi()
    fill(new(), pulumi)
    assert pulumi.calls[0] == ("secret", "contentSalt")
    private = pulumi.calls.index(("secret", "passportPrivateKey"))
    assert pulumi.calls[private + 1] == ("plain", "passportPublicKey")


def test_the_public_halves_are_those_of_the_private_ones() -> None:
    pulumi = FakePulumi()
    fill(new(), pulumi)
    assert pulumi.public["passportPublicKey"] == public_pem(pulumi.stored["passportPrivateKey"])
    assert pulumi.public["mail.dkim.selectors.k202611.publicKey"] == dkim_public_key(
        pulumi.stored["dkimKey-k202611"]
    )


@pytest.mark.parametrize(("base", "stage"), [("real", "published"), ("cluster", "active")])
def test_the_first_dkim_key_of_a_real_stack_waits_for_dns(base: str, stage: str) -> None:
    pulumi = FakePulumi()
    fill(new(base), pulumi)
    entry = "mail.dkim.selectors.k202611"
    assert (pulumi.public[f"{entry}.stage"], pulumi.public[f"{entry}.since"]) == (stage, "2026-11-23")


def test_a_stack_that_only_publishes_records_gets_no_keys() -> None:
    pulumi = FakePulumi()
    values = new("cluster", scope="dns") | {
        "dns": raw("cluster")["dns"] | {"shard": {"index": 0, "count": 1}}
    }
    fill(values, pulumi, {"cloudflareApiToken": TOKEN})
    assert pulumi.calls == [("secret", "cloudflareApiToken")]


def test_what_only_the_operator_has_is_asked_for() -> None:
    found = filled(new(), FakePulumi())
    assert "cloudflareApiToken" not in found.written
    assert ["./kolab pulumi config set --secret kolab:cloudflareApiToken" in text for text in found.left] == [
        True
    ]


# An earlier run that was cut short.


def test_a_private_half_without_its_public_one_is_completed() -> None:
    pulumi = FakePulumi(stored={"passportPrivateKey": key("ec-old")})
    assert "passportPublicKey" in fill(new(), pulumi)
    assert pulumi.stored["passportPrivateKey"] == key("ec-old")
    assert pulumi.public["passportPublicKey"] == public_pem(key("ec-old"))


def test_a_dkim_key_without_its_entry_is_completed_under_its_selector() -> None:
    pulumi = FakePulumi(stored={"dkimKey-mail": key("ec-old")})
    fill(new(), pulumi)
    assert pulumi.public["mail.dkim.selectors.mail.publicKey"] == dkim_public_key(key("ec-old"))
    assert "dkimKey-k202611" not in pulumi.stored


# Public halves of keys that somebody else has.


@pytest.mark.parametrize(
    ("secret", "place"),
    [
        ("passportPrivateKey", "passportPublicKey"),
        ("dkimKey-k202611", "mail.dkim.selectors.k202611.publicKey"),
        ("mxKey", "tlsa.current"),
    ],
)
def test_no_key_is_made_beside_the_public_half_of_another(secret: str, place: str) -> None:
    pulumi = FakePulumi()
    left = "\n".join(filled(raw("real"), pulumi).left)
    assert secret not in pulumi.stored
    assert f"{secret} is yours to give, since its public half stands in kolab:{place}" in left


@pytest.mark.usefixtures("rsa_keys")
def test_a_copy_of_an_example_gets_pairs_of_its_own_that_do_not_sign_before_dns_shows_them() -> None:
    pulumi, copied = FakePulumi(), raw("real", {**_HALVES, "backup": None})
    assert {f.rule for f in refused(copied)} == {"example-key"}
    found = filled(copied, pulumi, {"cloudflareApiToken": TOKEN})
    assert found.left == []
    done = stack_file(copied, pulumi)
    settings = Settings.model_validate({k: v for k, v in done.values.items() if k not in done.secret_keys})
    assert all(pair.belongs(pulumi.stored[pair.secret]) for pair in pairs(settings))
    assert {(k.stage, k.since) for k in settings.mail.dkim.selectors.values()} == {("published", str(TODAY))}


def test_every_public_half_in_a_shipped_file_is_known_as_one() -> None:
    found = [pair for name in ("single-node", "cluster") for pair in pairs(settings(name))]
    assert len(found) == 7
    assert all(is_shipped_key(pair.public) for pair in found)


@pytest.mark.usefixtures("rsa_keys")
def test_what_is_left_to_give_decides_the_exit_code(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    pulumi = FakePulumi()
    monkeypatch.setattr(secrets, "Pulumi", lambda _: pulumi)
    monkeypatch.setattr("ops.secrets.StackFile.read", lambda _: stack_file(new(), pulumi))
    assert main(["secrets", "--stack", "x"]) == 1
    assert "cloudflareApiToken is yours to give" in capsys.readouterr().err
    pulumi.stored["cloudflareApiToken"] = TOKEN
    assert main(["secrets", "--stack", "x"]) == 0
    assert main(["secrets", "show", "--stack", "x", "cloudflareApiToken"]) == 0
    assert capsys.readouterr().out == f"{TOKEN}\n"
    assert main(["secrets", "show", "none", "--stack", "x"]) == 1
    assert "has no secret none; name one of: adminPassword" in capsys.readouterr().err


_HALVES = {
    "passportPublicKey": raw("cluster")["passportPublicKey"],
    "mail/dkim": raw("cluster")["mail"]["dkim"],
    "tlsa": raw("cluster")["tlsa"],
}


@pytest.mark.usefixtures("rsa_keys")
def test_an_example_gets_new_pairs_since_nobody_has_the_keys_of_the_old_ones() -> None:
    pulumi = FakePulumi()
    fill(raw("cluster"), pulumi, {"cloudflareApiToken": TOKEN})
    done = stack_file(raw("cluster"), pulumi)
    settings, _ = load(done.values, done.secret_keys, plaintext=pulumi.stored.get)
    assert all(pair.belongs(pulumi.stored[pair.secret]) for pair in pairs(settings))


def test_the_private_half_of_a_public_one_may_be_brought_in() -> None:
    pulumi = FakePulumi()
    values = raw("real", {"passportPublicKey": public_pem(key("rsa-old"))})
    fill(values, pulumi, {"passportPrivateKey": key("rsa-old")})
    assert "passportPrivateKey" in pulumi.stored
    assert "passportPublicKey" not in pulumi.public


# Values that are brought in.


def test_existing_values_are_taken_over() -> None:
    pulumi = FakePulumi()
    fill(new(), pulumi, {"databasePassword": "kept-since-2019-1", "cloudflareApiToken": f"{TOKEN}_-"})
    assert pulumi.stored["databasePassword"] == "kept-since-2019-1"
    assert pulumi.stored["cloudflareApiToken"] == f"{TOKEN}_-"


def test_an_existing_dkim_key_keeps_its_selector() -> None:
    pulumi = FakePulumi()
    fill(new(), pulumi, {"dkimKey-mail2024": key("rsa-old")})
    assert "mail.dkim.selectors.mail2024.publicKey" in pulumi.public
    assert "dkimKey-k202611" not in pulumi.stored


def test_private_keys_are_stored_in_the_form_that_amavis_reads() -> None:
    pulumi = FakePulumi()
    assert key("rsa-old").startswith("-----BEGIN PRIVATE KEY-----")
    fill(new(), pulumi, {"dkimKey-mail": key("rsa-old")})
    assert pulumi.stored["dkimKey-mail"].startswith("-----BEGIN RSA PRIVATE KEY-----")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("databasePassword", "with|pipe-and-long-enough"),
        ("databasePassword", "with space-and-long-enough"),
        ("redisPassword", "colon:slash/long-enough"),
        ("filesPassword", "ab"),
        ("monitoringPassword", ""),
        ("appKey", "base64:short"),
        ("passportClientId", "not-a-uuid"),
        ("desKey", "short"),
        ("cloudflareApiToken", "two words"),
        ("cloudflareApiToken", ""),
        ("passportPrivateKey", "no key"),
        ("passportPrivateKey", "-----BEGIN PRIVATE KEY-----\nbroken\n-----END PRIVATE KEY-----"),
    ],
)
def test_a_value_that_the_daemons_could_not_read_is_refused_before_anything_is_written(
    name: str, value: str
) -> None:
    pulumi = FakePulumi()
    with pytest.raises(StackProblem, match=f"brought in for {name}") as caught:
        fill(new(), pulumi, {name: value})
    assert not value or value not in str(caught.value)
    assert pulumi.calls == []


def test_a_private_key_beside_the_public_half_of_another_is_refused() -> None:
    pulumi = FakePulumi()
    with pytest.raises(
        StackProblem, match="passportPrivateKey is not the private half of kolab:passportPublicKey"
    ):
        fill(raw("real"), pulumi, {"passportPrivateKey": key("rsa-old")})
    assert pulumi.calls == []


@pytest.mark.parametrize("name", ["dovecotPassword", "s3AccessKey", "dkimKey-Bad_Name"])
def test_a_value_that_this_stack_has_no_use_for_is_refused(name: str) -> None:
    with pytest.raises(StackProblem, match=f"needs no {name}"):
        fill(new(), FakePulumi(), {name: "value"})


def test_a_folder_holds_one_value_in_each_file(tmp_path: Path) -> None:
    (tmp_path / "databasePassword").write_text("kept\n")
    (tmp_path / "redisPassword").write_text("kept2")
    assert secrets._read_given(tmp_path) == {"databasePassword": "kept", "redisPassword": "kept2"}


@pytest.mark.parametrize("what", ["file", "folder", "binary"])
def test_something_else_than_such_a_folder_is_one_sentence(tmp_path: Path, what: str) -> None:
    place = tmp_path / "x"
    if what == "file":
        tmp_path = place
        place.write_text("x")
    elif what == "folder":
        place.mkdir()
    else:
        place.write_bytes(b"\xff\xfe")
    with pytest.raises(StackProblem, match=r"one (text )?file per key"):
        secrets._read_given(tmp_path)


# What a stack file must be before keys are made for it.


def test_only_missing_keys_are_forgiven() -> None:
    with pytest.raises(StackFileError, match="kolab:mode"):
        fill(new(mode="custer"), FakePulumi())


# Formats.


@pytest.mark.parametrize("name", [name for name, shape in FORMATS.items() if shape.made])
def test_what_is_made_has_the_documented_form(name: Format) -> None:
    value = secrets.make(Secret("x", name, ""))
    assert re.fullmatch(FORMATS[name].pattern, value)
    assert name in PEM or secrets.make(Secret("x", name, "")) != value


@pytest.mark.parametrize("name", ["password", "desKey"])
def test_passwords_hold_only_letters_and_digits(name: Format) -> None:
    made = "".join(secrets.make(Secret("x", name, "")) for _ in range(20))
    assert re.fullmatch(r"[A-Za-z0-9]{640}", made)


def test_the_application_key_is_32_bytes() -> None:
    value = secrets.make(Secret("appKey", "appKey", ""))
    assert len(base64.b64decode(value.removeprefix("base64:"))) == 32


def test_tokens_are_32_bytes_in_hex() -> None:
    assert len(bytes.fromhex(secrets.make(Secret("x", "hex", "")))) == 32


@pytest.mark.parametrize(("name", "bits"), [("rsa2048", 2048), ("rsa4096", 4096)])
def test_rsa_keys_have_the_promised_size(name: Format, bits: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    asked = []

    def generate(*, public_exponent: int, key_size: int) -> Any:
        asked.append((public_exponent, key_size))
        return serialization.load_pem_private_key(key("rsa-made").encode(), password=None)

    monkeypatch.setattr(rsa, "generate_private_key", generate)
    secrets.make(Secret("x", name, ""))
    assert asked == [(65537, bits)]


def test_the_mx_key_is_on_the_curve_that_every_sender_knows() -> None:
    made = serialization.load_pem_private_key(secrets.make(Secret("x", "ecP256", "")).encode(), password=None)
    assert isinstance(made, ec.EllipticCurvePrivateKey)
    assert made.curve.name == "secp256r1"


def test_every_secret_of_the_catalogue_can_be_made_or_is_asked_for() -> None:
    pulumi = FakePulumi()
    fill(new("cluster"), pulumi)
    assert {"adminPassword", "turnSecret", "monitoringPassword", "filesPassword"} <= set(pulumi.stored)
    assert set(pulumi.stored) <= NAMES | {"dkimKey-k202611"}
