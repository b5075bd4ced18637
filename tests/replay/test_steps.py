"""A page is read as its reader would, and what it says is held against what happens."""

from __future__ import annotations

import datetime
import sys
from pathlib import Path

import pytest

from tests.replay.machine import Machine, merged, patched, unsaid
from tests.replay.steps import Command, Merge, Patch, Unreadable, Wait, parse

_PAGE = """\
1. Make it:

   ```sh
   first one   # why
   second \\
     one
   ```

   ```text
   made … files
   ```

2. Edit `stacks/Pulumi.mine.yaml`:

   ```yaml stacks/Pulumi.mine.yaml
   config: {kolab:mode: cluster}
   ```

<!-- 12 days later -->

```sh refused
third
```

```diff stacks/Pulumi.mine.yaml
-  a: 1
+  a: 2
```

```yaml
shown: only
```
"""


def test_the_blocks_of_a_page_are_steps_in_its_order() -> None:
    assert [type(step) for step in parse(_PAGE)] == [Command, Command, Merge, Wait, Command, Patch]


def test_commands_are_logical_lines_without_comments_and_output_belongs_to_the_last() -> None:
    first, second, *_ = parse(_PAGE)
    assert first == Command(4, "first one")
    assert second == Command(5, "second one", prints=("made … files",))


def test_a_refusal_is_marked_and_belongs_to_the_last_command() -> None:
    assert [step.refused for step in parse(_PAGE) if isinstance(step, Command)] == [False, False, True]


@pytest.mark.parametrize(
    "page", ["```sh refussed\nx\n```\n", "```text\nsaid\n```\n", "```sh\n# nothing\n```\n"]
)
def test_a_block_that_would_be_passed_over_in_silence_is_an_error(page: str) -> None:
    with pytest.raises(Unreadable, match="line 1"):
        parse(page)


def test_an_edit_keeps_what_it_does_not_name() -> None:
    assert merged({"a": {"b": 1, "c": [1, 2]}}, {"a": {"c": [3]}}) == {"a": {"b": 1, "c": [3]}}


def test_a_line_that_is_not_there_cannot_be_replaced() -> None:
    assert patched("x:\n  a: 1\ny: 1\n", "-  a: 1\n+  a: 2\n", 1) == "x:\n  a: 2\ny: 1\n"
    assert patched("x:\n  a: 1\ny: 1\n", "-  a: 1\n", 1) == "x:\ny: 1\n"
    with pytest.raises(AssertionError, match="stand 0 times"):
        patched("x: 1\n", "-y: 1\n", 7)


def test_output_is_compared_line_by_line_in_order() -> None:
    assert unsaid(("a … c", "d"), "x\nsaid a,  b: c\n\nd e\n") is None
    assert unsaid(("d", "a"), "a\nd\n") == "a"


@pytest.fixture
def machine(tmp_path: Path) -> Machine:
    (tmp_path / "kolab").mkdir()
    return Machine(tmp_path / "kolab")


@pytest.mark.parametrize(
    ("page", "said"),
    [
        ("```sh\nfalse\n```\n", "^refused: line 2: false"),
        ("```sh refused\ntrue\n```\n", "^not refused: line 2: true"),
        ("```sh\necho yes\n```\n\n```text\nno\n```\n", "does not say 'no'"),
    ],
)
def test_a_page_that_says_something_else_than_happens_fails(machine: Machine, page: str, said: str) -> None:
    with pytest.raises(AssertionError, match=said):
        machine.play(parse(page))


def test_days_of_the_page_pass_for_the_commands_that_follow(machine: Machine) -> None:
    (machine.root / "today.py").write_text("import datetime; print(datetime.date.today())")
    then = datetime.date.today() + datetime.timedelta(days=12)
    show = f"```sh\n{sys.executable} today.py ops\n```\n\n```text\n{then}\n```\n"
    machine.play(parse(f"<!-- 12 days later -->\n\n{show}"))


def test_commands_for_running_daemons_are_not_run_here(machine: Machine) -> None:
    machine.play(parse("```sh cluster\nfalse\n```\n"))
