"""The YAML of render mode: whatever the program wrote, `kubectl apply` reads the same."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from toolchain.kubernetes_plugin.render import to_yaml

text = st.text(st.characters(codec="utf-8", exclude_characters="\r"), max_size=40)
lines = st.lists(
    st.sampled_from(["", " ", "a", "  b", "c ", "#d", "- e", "f: g", "\tx", "---", "%"]), max_size=6
)
value: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | text | lines.map("\n".join),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(text, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(text, value, max_size=4))
def test_what_is_written_reads_back_the_same(obj: dict[str, Any]) -> None:
    assert yaml.safe_load(to_yaml(obj)) == obj


@pytest.mark.parametrize(
    "word", ["y", "N", "yes", "off", "true", "null", "~", "1.0", "007", "0x1f", "1e3", "12:30:45"]
)
def test_a_word_that_yaml_would_take_for_something_else_is_quoted(word: str) -> None:
    assert to_yaml({"k": word}) == f'k: "{word}"\n'


def test_a_file_inside_a_config_map_stays_readable() -> None:
    assert to_yaml({"main.cf": "a = 1\n\nb = 2\n"}) == "main.cf: |\n  a = 1\n\n  b = 2\n"


def test_a_long_line_is_not_folded() -> None:
    assert to_yaml({"k": "word " * 40 + "end"}) == "k: " + "word " * 40 + "end\n"
