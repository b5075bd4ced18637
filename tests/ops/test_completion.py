"""`./kolab completion`: a real bash completes commands, actions, options and names of stacks."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from ops import completion
from ops.__main__ import main, parser

_TRY = r"""
source "$0"
COMP_WORDS=("$@") COMP_CWORD=$(($# - 1))
spec=($(complete -p kolab))
for place in "${!spec[@]}"; do [ "${spec[place]}" = -F ] && function=${spec[place + 1]}; done
$function kolab "${COMP_WORDS[COMP_CWORD]}" "${COMP_WORDS[COMP_CWORD - 1]}"
printf '%s\n' "${COMPREPLY[@]}"
"""
"""As readline does: the words of the line, of which the last is completed."""


@pytest.fixture(scope="module")
def sourced(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What bash sources, of a checkout with two stacks whose path needs quotes."""
    folder = tmp_path_factory.mktemp("it's a checkout")
    (folder / "stacks").mkdir()
    for name in ("mine", "mirror"):
        (folder / "stacks" / f"Pulumi.{name}.yaml").touch()
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(completion, "ROOT", folder)
        file = folder / "kolab.bash"
        file.write_text(completion.script(parser(), "bash"))
    return file


def completed(sourced: Path, *words: str) -> set[str]:
    """What bash offers for the last word."""
    done = subprocess.run(
        ["bash", "--norc", "-c", _TRY, str(sourced), *words], capture_output=True, text=True, check=True
    )
    assert done.stderr == ""
    return set(done.stdout.split())


def test_commands_are_completed(sourced: Path) -> None:
    assert completed(sourced, "./kolab", "do") == {"doctor", "domain"}


def test_actions_of_a_command_are_completed(sourced: Path) -> None:
    assert completed(sourced, "./kolab", "queue", "re") == {"release", "requeue"}


def test_options_are_completed(sourced: Path) -> None:
    assert completed(sourced, "./kolab", "doctor", "--on") == {"--only"}


@pytest.mark.parametrize("option", ["--stack", "-s"])
@pytest.mark.parametrize("line", [("doctor",), ("queue", "why")])
def test_names_of_stacks_are_completed_as_their_files_are_then(
    sourced: Path, line: tuple[str, ...], option: str
) -> None:
    assert completed(sourced, "./kolab", *line, option, "mi") == {"mine", "mirror"}


def test_each_shell_gets_a_text_of_its_own(capsys: pytest.CaptureFixture[str]) -> None:
    said = {}
    for shell in completion.SHELLS:
        assert main(["completion", shell]) == 0
        said[shell] = capsys.readouterr().out
    assert "complete -o" in said["bash"]
    assert said["zsh"].startswith("#compdef kolab")
    assert all("_kolab_stacks" in text for text in said.values())


def test_another_shell_is_refused_with_those_that_there_are(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as refusal:
        main(["completion", "fish"])
    assert refusal.value.code == 2
    assert "bash" in capsys.readouterr().err
