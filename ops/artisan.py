"""The web application's own commands, in its pod: arguments go in on standard input, so no password is in a process list.

`artisan` would take them on its command line. So a few lines of PHP call the same commands by Laravel's public interface
(Illuminate\\Contracts\\Console\\Kernel::call), as many as are wanted in one process: to start it takes a second.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ops.kubectl import Kubectl
from ops.stacks import StackProblem

Arguments = Mapping[str, str | bool | Sequence[str]]
PROGRAM = r"""
chdir("/opt/app-root/src");
require "vendor/autoload.php";
$kernel = (require "bootstrap/app.php")->make(Illuminate\Contracts\Console\Kernel::class);
foreach (json_decode(stream_get_contents(STDIN), true, 512, JSON_THROW_ON_ERROR) as [$command, $arguments]) {
    $output = new Symfony\Component\Console\Output\BufferedOutput();
    try {
        $code = $kernel->call($command, $arguments, $output);
        $said = $output->fetch();
    } catch (Throwable $error) {
        $code = 70;
        $said = $output->fetch() . $error->getMessage();
    }
    echo "\x1e", json_encode([$code, $said], JSON_INVALID_UTF8_SUBSTITUTE), "\n";
}
"""
_PHP = (
    "php",
    "-dmemory_limit=512M",
    "-dzend.exception_ignore_args=1",
    "-ddisplay_errors=stderr",
    "-r",
    PROGRAM,
)
_SECRET = ("password", "--password")
MARK = "\x1e"
"""Begins each answer; what else PHP prints is no answer."""


@dataclass(frozen=True)
class Call:
    """A command and its arguments; options begin with --, a flag is True."""

    command: str
    arguments: Arguments


@dataclass(frozen=True)
class Answer:
    """What a command came to. `text` holds none of the passwords that went in."""

    code: int
    text: str

    @property
    def lines(self) -> list[str]:
        """Lines that are not empty."""
        return [line.strip() for line in self.text.splitlines() if line.strip()]


def call(command: str, **arguments: str | bool | Sequence[str]) -> Call:
    """A call; `_name=` is the option --name."""
    return Call(
        command, {(f"--{key[1:]}" if key.startswith("_") else key): value for key, value in arguments.items()}
    )


def run(cluster: Kubectl, calls: Iterable[Call], *, seconds: int = 600) -> list[Answer]:
    """The answers, in order. Raises StackProblem when the application does not answer; a command may still have failed."""
    wanted = list(calls)
    if not wanted:
        return []
    asked = [[each.command, {**each.arguments, "--no-interaction": True}] for each in wanted]
    said = cluster.execute("deploy/webapp", "webapp", *_PHP, text=json.dumps(asked), seconds=seconds)
    found = [json.loads(part.partition("\n")[0]) for part in said.split(MARK)[1:]]
    if len(found) != len(wanted):
        raise StackProblem(
            f"the web application answered {len(found)} of {len(wanted)} commands; ./kolab logs webapp may say why"
        )
    return [
        Answer(code, _without_secrets(text, each)) for (code, text), each in zip(found, wanted, strict=True)
    ]


def must(cluster: Kubectl, calls: Iterable[Call], *, seconds: int = 600) -> list[Answer]:
    """The same, where none may fail. Raises StackProblem with the application's own words."""
    wanted = list(calls)
    answers = run(cluster, wanted, seconds=seconds)
    for each, answer in zip(wanted, answers, strict=True):
        if answer.code != 0:
            raise StackProblem(refusal(each, answer))
    return answers


def refusal(each: Call, answer: Answer) -> str:
    """Why a command failed, in one line."""
    said = " ".join(answer.lines)[:300] or "no reason was given"
    return f"the web application refuses {each.command}: {said}"


def _without_secrets(text: str, each: Call) -> str:
    for key in _SECRET:
        value = each.arguments.get(key)
        if isinstance(value, str) and value:
            text = text.replace(value, "(password)")
    return text
