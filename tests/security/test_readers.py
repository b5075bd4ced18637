"""A value that becomes more than a value is seen by the reader of its language, and one that does not is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.security.readers import Misread, read

pytestmark = [pytest.mark.thorough, pytest.mark.security]

_CASES = {
    "shell": ("settings", "KOLAB_X=VALUE\n", "a.b", "$(id)"),
    "another line of shell": ("settings", "KOLAB_X=VALUE\n", "a.b", "a\nKOLAB_Y=b"),
    "Postfix' settings": ("settings", "KOLAB_HELO=VALUE\n", "mail.example.net", "'$mynetworks x'"),
    "a map": ("aliases", "abuse@example.net VALUE\n", "joe@example.org", "joe@example.org,evil@example.com"),
    "a line of a map": ("login", "x:25 VALUE\n", "user:pw", "user:pw\n* user:pw"),
    "nginx": ("server.conf", "server_name VALUE;\n", "mail.example.net", "x; return 200"),
    "a block of nginx": ("server.conf", "server_name VALUE;\n", "mail.example.net", "x; } server { listen 1"),
    "YAML": ("blackbox.yml", "modules: VALUE\n", "text", "\n  x: y"),
    "a list in YAML": ("blackbox.yml", "modules: VALUE\n", "text", "[x]"),
    "a number in YAML": ("blackbox.yml", "modules: VALUE\n", "text", "12"),
    "a template": ("alertmanager.yml", "to: 'VALUE'\n", "joe@example.net", "{{ .x }}"),
    "PromQL": ("rules.yml", "groups: [{rules: [{expr: 'up{job=\"VALUE\"}'}]}]\n", "postfix", 'x"} or vector(1) or up{x="'),
    "VRL": ("vector.yaml", "transforms: {x: {source: '.a = \"VALUE\"'}}\n", "text", 'x"; .b = "y'),
    "turnserver.conf": ("turnserver.conf", "realm=VALUE\n", "turn.example.net", "x\nno-auth"),
    "a second value": ("turnserver.conf", "realm=VALUE\n", "turn.example.net", "x no-auth"),
    "PHP's settings": ("sizes.ini", "post_max_size = VALUE\n", "1000", "1\nauto_prepend_file = x"),
    "a certificate": ("authorities.pem", "-----BEGIN CERTIFICATE-----\nVALUE\n", "MIIB", "M\n-----BEGIN PRIVATE KEY-----"),
    "an environment": ("DB_PASSWORD", "VALUE", "harmless", "x'; DROP"),
    "a word that Laravel reads": ("DB_PASSWORD", "VALUE", "harmless", "null"),
    "a URL": ("MFA_DSN", "mysql://roundcube:VALUE@mariadb/x", "harmless", "x@evil.example/#"),
}  # fmt: skip


@pytest.mark.parametrize("case", _CASES)
def test_what_is_more_than_a_value_has_another_shape(tmp_path: Path, case: str) -> None:
    name, text, harmless, injected = _CASES[case]
    wanted = read(name, text.replace("VALUE", harmless), tmp_path)
    try:
        found = read(name, text.replace("VALUE", injected), tmp_path)
    except Misread:
        return
    assert found != wanted


@pytest.mark.parametrize("case", _CASES)
def test_another_value_has_the_same_shape(tmp_path: Path, case: str) -> None:
    name, text, harmless, _ = _CASES[case]
    other = {"VRL": "words"}.get(case, harmless.replace("a", "b").replace("o", "i"))
    found, wanted = (read(name, text.replace("VALUE", each), tmp_path) for each in (other, harmless))
    assert found == wanted
