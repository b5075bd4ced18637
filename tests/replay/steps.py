"""The runnable part of a page: its fenced blocks, in order, as steps that a machine can take.

    ```sh                        commands, one a line; they have to succeed
    ```sh refused                the last of them is refused by the program
    ```sh cluster                needs daemons that run: the names in it are checked, the lab may run it
    ```text                      what the command before prints: these lines in this order, others between them; `…` is anything
    ```yaml stacks/<file>        what is written into the file: keys are merged, lists and values replaced
    ```diff stacks/<file>        lines that are taken out (-) and put in their place (+)
    <!-- 12 days later -->       the clock moves on

Every other block is shown and not run. The marks stand behind the language, where readers do not see them.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Literal

from markdown_it import MarkdownIt

Where = Literal["here", "cluster"]
_MARKS = {"sh": {"refused", "cluster"}, "text": set[str]()}


class Unreadable(Exception):
    """A block whose marks say nothing; the message has its line."""


@dataclass(frozen=True)
class Command:
    """One command line, what it prints, and whether the program has to refuse it."""

    line: int
    text: str
    where: Where = "here"
    refused: bool = False
    prints: tuple[str, ...] = ()


@dataclass(frozen=True)
class Merge:
    """Keys that are written into a YAML file."""

    line: int
    file: str
    text: str


@dataclass(frozen=True)
class Patch:
    """Lines of a file that are replaced."""

    line: int
    file: str
    text: str


@dataclass(frozen=True)
class Wait:
    """Days that pass."""

    line: int
    days: int


Step = Command | Merge | Patch | Wait


def parse(markdown: str) -> list[Step]:
    """The steps of a page. Raises Unreadable."""
    found: list[Step] = []
    for token in MarkdownIt("commonmark").parse(markdown):
        line = token.map[0] + 1 if token.map else 0
        if token.type == "html_block":
            days = re.fullmatch(r"<!-- (\d+) days? later -->\s*", token.content)
            found.extend([Wait(line, int(days[1]))] if days else [])
        elif token.type == "fence":
            language, *marks = token.info.split() or [""]
            _take(found, line, language, marks, token.content)
    return found


def _take(found: list[Step], line: int, language: str, marks: list[str], content: str) -> None:
    if unknown := set(marks) - _MARKS.get(language, set(marks)):
        raise Unreadable(f"line {line}: ```{language} takes no {', '.join(sorted(unknown))}")
    match language, marks:
        case "sh", _:
            commands = list(_commands(line + 1, content, "cluster" if "cluster" in marks else "here"))
            if not commands:
                raise Unreadable(f"line {line}: no command")
            found.extend(commands[:-1])
            found.append(replace(commands[-1], refused="refused" in marks))
        case "text", _:
            if not found or not isinstance(found[-1], Command):
                raise Unreadable(f"line {line}: output without a command before it")
            found[-1] = replace(found[-1], prints=tuple(filter(None, map(str.strip, content.splitlines()))))
        case "yaml", [file]:
            found.append(Merge(line, file, content))
        case "diff", [file]:
            found.append(Patch(line, file, content))


def _commands(line: int, content: str, where: Where) -> Iterator[Command]:
    """Logical lines without comments."""
    started, text = line, ""
    for number, physical in enumerate(content.splitlines(), line):
        started = started if text else number
        text += physical.strip()
        if text.endswith("\\"):
            text = f"{text[:-1].rstrip()} "
            continue
        text = re.sub(r"(^|\s)#\s.*", "", text).strip()
        if text:
            yield Command(started, text, where)
        text = ""
