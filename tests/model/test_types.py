"""What one value on its own may look like."""

from __future__ import annotations

import functools
import ipaddress
import re
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as examples
from hypothesis import strategies as st
from pydantic import TypeAdapter, ValidationError

from model import texts, types, urls
from model.settings import Settings
from model.stack_file import StackFileError, load
from tests.model.files import raw

LONGEST = ".".join(("a" * 63, "b" * 63, "c" * 63, "d" * 61))


def read(kind: Any, value: object) -> Any:
    """`value` as a stack file would give it to a field of this type."""
    return _adapter(kind).validate_python(value)


@functools.cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def refused(kind: Any, value: object) -> str:
    """What is said about a value that is refused."""
    with pytest.raises(ValidationError) as caught:
        read(kind, value)
    return " ".join(error["msg"] for error in caught.value.errors())


@pytest.mark.parametrize(
    ("written", "name"),
    [
        ("example.org", "example.org"),
        ("MAIL.Example.ORG", "mail.example.org"),
        ("example.org.", "example.org"),
        (" example.org ", "example.org"),
        ("münchen.example", "xn--mnchen-3ya.example"),
        ("MÜNCHEN.example", "xn--mnchen-3ya.example"),
        ("faß.example", "xn--fa-hia.example"),
        ("пример.испытание", "xn--e1afmkfd.xn--80akhbyknj4f"),
        ("xn--mnchen-3ya.example", "xn--mnchen-3ya.example"),
        ("例え。テスト", "xn--r8jz45g.xn--zckzah"),
        (LONGEST, LONGEST),
    ],
)
def test_a_host_name_becomes_lower_case_a_labels(written: str, name: str) -> None:
    assert read(types.Hostname, written) == name


@pytest.mark.parametrize(
    "written",
    [
        "",
        ".",
        "org",
        "localhost",
        "example..org",
        "example.org..",
        ".example.org",
        "-mail.example.org",
        "mail-.example.org",
        "mail_host.example.org",
        "mail host.example.org",
        "mail\n.example.org",
        "*.example.org",
        "https://example.org",
        "example.org:25",
        "192.0.2.1",
        "2001:db8::1",
        "a" * 64 + ".example.org",
        f"a{LONGEST}",
        f"{LONGEST}d",
        "ü" * 70 + ".example",
        "xn--zzzzzzzz99.example",
        "☃️_x.example",
    ],
)
def test_a_name_that_nobody_could_resolve_is_refused(written: str) -> None:
    refused(types.Hostname, written)


@given(st.text(max_size=80))
def test_a_host_name_is_read_or_refused_and_reading_it_again_changes_nothing(text: str) -> None:
    try:
        name = types.hostname(text)
    except ValueError:
        return
    assert types.hostname(name) == name
    assert name.isascii()


@given(st.text(alphabet="SECRETsecret0123456789 !", min_size=12, max_size=60))
def test_a_refused_host_name_is_not_repeated(text: str) -> None:
    with pytest.raises(ValueError, match=r"must|is") as caught:
        types.hostname(f"{text}_.example.org")
    assert text not in str(caught.value)


@pytest.mark.parametrize(
    ("written", "address"),
    [
        ("jane@example.org", "jane@example.org"),
        ("Jane.Doe+kolab@Example.ORG", "Jane.Doe+kolab@example.org"),
        ("jane@münchen.example", "jane@xn--mnchen-3ya.example"),
    ],
)
def test_a_mail_address_keeps_its_local_part(written: str, address: str) -> None:
    assert read(types.Email, written) == address


@pytest.mark.parametrize(
    "written",
    [
        "jane",
        "@example.org",
        "jane@",
        "jane@org",
        ".jane@example.org",
        "ja..ne@example.org",
        "ja ne@example.org",
        "jane\n@example.org",
        "a" * 65 + "@example.org",
        "a@b@example.org",
        "#x@example.org",
        "-x@example.org",
        "{{x}}@example.org",
        "${x}@example.org",
        "a|b@example.org",
        "`id`@example.org",
        "100%@example.org",
        '"x y"@example.org',
    ],
)
def test_what_is_no_mail_address_is_refused(written: str) -> None:
    refused(types.Email, written)


@pytest.mark.parametrize("written", ["https://wiki.example.org/a?b=c", "http://10.0.0.5:8080/x"])
def test_a_url_is_kept_as_it_is_written(written: str) -> None:
    assert read(urls.PageUrl, written) == written


@pytest.mark.parametrize(
    "written",
    ["rubbish", "file:///etc/passwd", "https://", "https://a.org/ b", "https://a.org/\n", "//a.org", 7],
)
def test_what_no_browser_would_open_as_a_page_of_the_web_is_refused(written: object) -> None:
    refused(urls.PageUrl, written)


def test_a_password_in_a_url_is_refused_and_not_repeated() -> None:
    assert "hunter2" not in refused(urls.PageUrl, "https://jane:hunter2@example.org/")


@pytest.mark.parametrize("written", ["500m", "2", "0.5", 2, 0.5, "1"])
def test_processors_may_be_written_as_a_number(written: object) -> None:
    assert read(types.Cpu, written) == str(written)


@pytest.mark.parametrize(
    "written",
    [
        "",
        "m",
        "1K",
        "1ki",
        "-1",
        "1 Gi",
        "1Gi",
        "500m\n",
        "1e3",
        "x",
        True,
        None,
        "9" * 400,
        "2000",
        "0",
        "1Mi",
        "257",
    ],
)
def test_what_is_no_sane_number_of_processors_is_refused(written: object) -> None:
    refused(types.Cpu, written)


@pytest.mark.parametrize(
    ("written", "size"),
    [
        ("512Mi", 512 * 2**20),
        ("50000k", 5 * 10**7),
        ("1.5Gi", 3 * 2**29),
        ("20G", 20 * 10**9),
        ("102400Ki", 100 * 2**20),
    ],
)
def test_a_size_is_counted_as_kubernetes_counts_it(written: object, size: int) -> None:
    assert types.bytes_of(read(types.Memory, written)) == size


@pytest.mark.parametrize(
    "written",
    ["500m", "0", "0Gi", "0.1", "1K", "20 Gi", "20Gib", "-1Gi", "9" * 400 + "Ei", "50", 50, 1.5, True, None],
)
@pytest.mark.parametrize("kind", [types.MessageSize, types.VolumeSize, types.Memory])
def test_a_size_of_less_than_a_byte_or_in_unknown_units_is_refused(kind: Any, written: object) -> None:
    refused(kind, written)


@pytest.mark.parametrize(
    ("kind", "written"),
    [
        (types.MessageSize, "1023Ki"),
        (types.MessageSize, "2Gi"),
        (types.MessageSize, "9999999Ti"),
        (types.VolumeSize, "1Mi"),
        (types.VolumeSize, "501Ti"),
        (types.Memory, "512k"),
        (types.Memory, "5Ti"),
        (types.MetricsRetention, "59m"),
        (types.MetricsRetention, "11y"),
        (types.LogsRetention, "59m"),
        (types.LogsRetention, "999999y"),
    ],
)
def test_a_size_or_duration_that_nobody_can_mean_is_refused_with_its_range(kind: Any, written: str) -> None:
    assert re.search(r"must be from \w+ to \w+, such as \w+", refused(kind, written))


@pytest.mark.parametrize("kind", [types.MessageSize, types.VolumeSize, types.Memory, types.LogsRetention])
@pytest.mark.parametrize("written", [50, "50", 1.5, "52428800"])
def test_a_number_without_a_unit_is_refused_with_an_example(kind: Any, written: object) -> None:
    assert re.search(r"must have a unit, such as \d+\w", refused(kind, written))


@examples(max_examples=50)
@given(
    st.integers(0, 2000),
    st.sampled_from(("", ".5", ".0")),
    st.sampled_from(("", *"kMGTPE", "Ki", "Mi", "Ei", "m", "K")),
)
def test_every_size_that_is_read_can_be_counted(number: int, part: str, unit: str) -> None:
    text = f"{number}{part}{unit}"
    try:
        size = read(types.VolumeSize, text)
    except ValidationError:
        return
    assert types.bytes_of(size) > 0


@pytest.mark.parametrize("written", ["15d", "12h", "90m", "1y", "7200s", "2w"])
def test_a_duration_is_a_number_and_a_unit(written: str) -> None:
    assert read(types.MetricsRetention, written) == written


@pytest.mark.parametrize("written", ["", "15", "d", "0d", "1.5d", "15 d", "15d\n", "15D", "-1d"])
def test_another_duration_is_refused(written: str) -> None:
    refused(types.MetricsRetention, written)


@pytest.mark.parametrize(
    "written", ["", "Kolab", "kolab_x", "-kolab", "kolab-", "kolab\n", "kol.ab", "a" * 64]
)
def test_what_kubernetes_would_not_take_as_a_namespace_is_refused(written: str) -> None:
    refused(texts.Label, written)


@pytest.mark.parametrize(
    "written",
    [
        5,
        True,
        3221225985,
        ["192.0.2.1"],
        "192.0.2",
        "192.0.2.1/32",
        "fe80::1%eth0",
        "example.org",
        "::ffff:10.0.0.1",
    ],
)
def test_an_address_is_written_out_in_full(written: object) -> None:
    refused(types.Address, written)


def test_one_address_may_stand_without_a_list() -> None:
    assert read(types.Addresses, "192.0.2.1") == read(types.Addresses, ["192.0.2.1"])


@pytest.mark.parametrize("written", ["10.42.0.1/16", "10.42.0.0/33", 167772160, "pods"])
def test_a_network_has_nothing_but_zeros_behind_its_prefix(written: object) -> None:
    refused(types.Network, written)


@pytest.mark.parametrize(
    ("address", "documentation"),
    [
        ("192.0.2.255", True),
        ("198.51.100.0", True),
        ("203.0.113.77", True),
        ("2001:db8::1", True),
        ("3fff:fff::1", True),
        ("192.0.3.0", False),
        ("198.51.101.0", False),
        ("2001:db9::", False),
        ("3fff:1000::", False),
        ("10.0.0.1", False),
    ],
)
def test_documentation_ranges_are_those_of_the_rfcs(address: str, documentation: bool) -> None:
    found = ipaddress.ip_address(address)
    assert any(found in net for net in types.DOCUMENTATION if net.version == found.version) == documentation


def unions(schema: Any) -> Iterator[list[str]]:
    """Kinds among which a value is tried one after the other, and not only written or shown to editors."""
    if isinstance(schema, dict):
        if schema.get("type") == "union":
            yield [choice.get("type", "?") for choice in schema["choices"]]
        for key, part in schema.items():
            if key not in ("json_schema_input_schema", "serialization"):
                yield from unions(part)
    elif isinstance(schema, list | tuple):
        for part in schema:
            yield from unions(part)


def test_no_value_is_tried_as_one_kind_after_another_since_each_would_complain() -> None:
    assert list(unions(Settings.__pydantic_core_schema__)) == []


@pytest.mark.parametrize(
    "change",
    [{"mode": 10**5000}, {"resources": {"imap": {"cpu": 10**5000}}}, {"storage": {"mailboxes": {"size": 10**5000}}}],
    ids=lambda change: next(iter(change)),
)  # fmt: skip
def test_a_number_that_python_writes_no_more_gets_a_sentence(change: dict[str, Any]) -> None:
    with pytest.raises(StackFileError) as caught:
        load(raw("cluster", change), need_secrets=False)
    assert "Exceeds" not in str(caught.value)
