"""docs/reference/commands.md: every command of `./kolab`, read from its own parser."""

from __future__ import annotations

import argparse
from collections.abc import Iterator

from ops.reference.markdown import code, page, prose, sentence, table

_INTRODUCTION = """\
From the first look to day-2 work. `./kolab` runs from any folder; it makes its virtual environment, and gets pulumi and
its plugins when a command needs them. Options may stand before, between and behind arguments. `-s` is short for
`--stack`; without it, `PULUMI_STACK` counts, else the one stack file that is no example.

Exit codes: 0 done, 1 a problem that is said in one sentence, 2 a command line that cannot be read."""


def text(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> str:
    """The page."""
    return page("Commands", _INTRODUCTION, *_below("./kolab", commands))


def _below(program: str, commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> Iterator[str]:
    about = {choice.dest: choice.help or "" for choice in commands._choices_actions}
    for name, parser in commands.choices.items():
        yield f"## {program} {name}"
        yield prose(sentence(about.get(name, "")[:1].upper() + about.get(name, "")[1:]))
        own = [action for action in parser._actions if not isinstance(action, _SKIPPED)]
        if own:
            yield table(
                ("Argument", "Meaning"), ((code(_written(action)), _meaning(action)) for action in own)
            )
        for action in parser._actions:
            if isinstance(action, argparse._SubParsersAction):
                yield from _below(f"{program} {name}", action)


_SKIPPED = (argparse._HelpAction, argparse._SubParsersAction)


def _written(action: argparse.Action) -> str:
    name = str(action.metavar or (action.dest.upper() if action.option_strings else action.dest))
    if not action.option_strings:
        return name
    flag = action.option_strings[-1]
    return flag if action.nargs == 0 else f"{flag} {name}"


def _meaning(action: argparse.Action) -> str:
    parts = [sentence((action.help or "").replace("%(default)s", str(action.default)))] if action.help else []
    if action.choices:
        parts.append(f"One of {', '.join(map(code, map(str, action.choices)))}.")
    if action.required and action.option_strings:
        parts.append("Required.")
    return " ".join(parts)
