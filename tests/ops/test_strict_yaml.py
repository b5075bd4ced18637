"""What a stack file may be as YAML: a small hostile one is refused at once."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from ops import strict_yaml
from ops.stacks import StackFile, StackProblem

pytestmark = pytest.mark.security

BOMB = "a0: &a0 [x]\n" + "".join(f"a{n + 1}: &a{n + 1} [{', '.join([f'*a{n}'] * 9)}]\n" for n in range(30))
HOSTILE = {
    "alias bomb": (BOMB, "alias"),
    "merge bomb": ("a: &a {x: 1}\nb: {<<: *a}\n", "alias"),
    "alias to itself": ("a: &a [*a]\n", "alias"),
    "duplicate": (
        "config:\n  kolab:mode: cluster\n  kolab:mode: single-node\n",
        "kolab:mode twice, again at line 3",
    ),
    "duplicate below": ("config:\n  kolab:dns: {ttl: 60, ttl: 70}\n", "ttl twice"),
    "duplicate in quotes": ("config: {}\n'config': {}\n", "config twice"),
    "depth": ("[" * 50_000, "nested deeper"),
    "depth of groups": ("{a: " * 50_000, "nested deeper"),
    "depth of lists": ("- " * 5_000, "nested deeper"),
    "size": ("# " + "x" * 2_000_000, "larger than 1 MiB"),
    "python": ("a: !!python/object/apply:os.system [id]\n", "not valid YAML at line 1"),
    "date": ("a: 2026-99-99\n", "in quotes"),
    "number of YAML 1.2": (
        "a:\n  b: 1e3\n",
        "has 1e3 at line 2, which is a number to the engine: write it in quotes",
    ),
    "octal of YAML 1.2": ("a: 0o17\n", "in quotes"),
    "number as a key": ("a: {7e11: x}\n", "in quotes"),
    "open quote": ("a: 'x\n", "not valid YAML"),
    "two documents": ("a: 1\n---\nb: 2\n", "not valid YAML"),
    "complex key": ("? [a, b]\n: 1\n", "not valid YAML"),
    "control": ("a: \x00\n", "not valid YAML"),
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_file_is_refused_in_under_a_second_with_one_sentence(name: str) -> None:
    text, said = HOSTILE[name]
    start = time.thread_time()
    with pytest.raises(strict_yaml.YamlProblem, match=said) as caught:
        strict_yaml.read(text)
    assert time.thread_time() - start < 1
    assert "\n" not in str(caught.value)


def test_an_ordinary_file_is_read_as_yaml() -> None:
    assert strict_yaml.read("a: {b: [1, 'x', true]}\nc: |\n  d\n") == {"a": {"b": [1, "x", True]}, "c": "d\n"}


@pytest.mark.parametrize("text", ["1e3", "0o17", "true", "2026.11", "12345e6789"])
def test_whatever_stands_in_quotes_is_a_text(text: str) -> None:
    assert strict_yaml.read(f"a: '{text}'\nb: \"{text}\"\n") == {"a": text, "b": text}


def test_commands_say_which_file_it_is(tmp_path: Path) -> None:
    (tmp_path / "stacks").mkdir()
    (tmp_path / "stacks" / "Pulumi.mine.yaml").write_text(BOMB)
    with pytest.raises(StackProblem, match=r"^Pulumi\.mine\.yaml uses an alias"):
        StackFile.read("mine", tmp_path)


@pytest.mark.parametrize(
    "name", ["", "../x", "a/b", "/etc/passwd", ".hidden", "a b", "a\nb", "-x", "x" * 101]
)
def test_the_name_of_a_stack_is_no_path(name: str, tmp_path: Path) -> None:
    with pytest.raises(StackProblem, match="name of a stack"):
        StackFile.read(name, tmp_path)
