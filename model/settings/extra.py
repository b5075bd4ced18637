"""What the program does not know about: lines of an operator's own for the daemons' configuration."""

from __future__ import annotations

from typing import Annotated

from pydantic import BeforeValidator, Field, PlainValidator

from model.kind import Kind, matching
from model.settings.base import Section
from model.texts import DaemonName, LabelKey

_MOST = 400


def _text(value: object) -> object:
    # YAML reads `10` as a number and `true` as a switch.
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int) and abs(value) >= _HUGE:
        raise ValueError(_ONE_LINE)
    return str(value) if isinstance(value, int | float) else value


_PRINTABLE = rf"(?=[^ ])[ -~]{{0,{_MOST - 1}}}[!-~]"
_ONE_LINE = f"must be one line of up to {_MOST} printable ASCII characters, without spaces around it"
# As many digits are a text that is too long; Python writes no number of more than 4300.
_HUGE = 10**_MOST
OptionName = Annotated[
    str,
    matching(
        "name of an option",
        r"[a-z][a-z0-9_]{0,79}",
        "must be the name of an option: lower-case letters, digits and _",
    ),
]
OptionValue = Annotated[
    str,
    BeforeValidator(_text, json_schema_input_type=str | int | float | bool),
    matching("value of an option", _PRINTABLE, _ONE_LINE),
]
Text = Annotated[str, matching("text", rf"(?:{_PRINTABLE})?", _ONE_LINE)]
ConfigLine = Annotated[str, matching("line of a configuration", rf"[a-z][a-z0-9_]{{0,79}} {_PRINTABLE}", f"must be a name, a space and the rest of one line, in up to {_MOST} printable ASCII characters")]  # fmt: skip
_WORD = r"""(?:[^\s"'\\;{}#$]+|"[^"'\\;{}$\n]*")"""
Directive = Annotated[
    str,
    matching(
        "directive of nginx",
        rf"(?=[ -~]{{3,{_MOST}}}$)[a-z][a-z0-9_]{{0,79}}(?: {_WORD})+",
        'must be one directive of nginx without its semicolon, such as keepalive_timeout 65s: no blocks, no variables, and " around words with spaces',
    ),
]
VariableName = Annotated[
    str,
    matching(
        "environment variable",
        r"[A-Za-z_][A-Za-z0-9_]{0,79}",
        "must be the name of an environment variable: letters, digits and _",
    ),
]
VariableValue = Annotated[
    str,
    BeforeValidator(_text, json_schema_input_type=str | int | float | bool),
    matching(
        "value of an environment variable", rf"(?!.*\$)(?:{_PRINTABLE})?", f"{_ONE_LINE}, and without $"
    ),
]


_PHP_NUMBER = 999_999_999
_PHP_WORDS = f"must be true or false, a whole number of up to nine digits, a text or a list of texts; a text is one line of up to {_MOST} printable characters, without spaces around it"


def _php_text(value: str) -> str:
    if len(value) > _MOST or not value.isprintable() or value != value.strip(" "):
        raise ValueError(_PHP_WORDS)
    return value


def _php(value: object) -> bool | int | str | tuple[str, ...]:
    """A value of Roundcube's. One reader instead of a type for each kind: those would each complain."""
    if isinstance(value, str):
        return _php_text(value)
    if isinstance(value, list | tuple) and all(isinstance(each, str) for each in value):
        return tuple(map(_php_text, value))
    if isinstance(value, bool) or (isinstance(value, int) and abs(value) <= _PHP_NUMBER):
        return value
    raise ValueError(_PHP_WORDS)


PhpNumber = Annotated[int, Field(ge=-_PHP_NUMBER, le=_PHP_NUMBER)]
PhpText = Annotated[str, Kind("text of any script", _php_text)]
_PhpValue = bool | PhpNumber | PhpText | tuple[PhpText, ...]
PhpValue = Annotated[_PhpValue, PlainValidator(_php, json_schema_input_type=_PhpValue)]


class Extra(Section):
    """Lines of your own for the daemons' configuration, for what the program has no setting for. Each is judged: what is known to be harmless goes through, what has to do with a promise of this stack (who may send, TLS and passwords, clients' addresses, where data lie) is refused, and whatever else is to be acknowledged (docs/how-to/extend-a-daemon.md)."""

    postfix: dict[OptionName, OptionValue] = {}
    """Parameters of Postfix' main.cf (postconf(5))."""
    imap: dict[OptionName, OptionValue] = {}
    """Options of Cyrus' imapd.conf (imapd.conf(5))."""
    roundcube: dict[OptionName, PhpValue] = {}
    """Options of Roundcube's config.inc.php: a switch, a number, a text or a list of texts."""
    spamassassin: tuple[ConfigLine, ...] = ()
    """Lines of SpamAssassin's local.cf, such as `score URIBL_BLACK 4.0` (Mail::SpamAssassin::Conf)."""
    website: tuple[Directive, ...] = ()
    """Directives of nginx in the server of the website, without semicolons."""
    environment: dict[DaemonName, dict[VariableName, VariableValue]] = {}
    """Daemon or sidecar -> environment variables of its container."""
    annotations: dict[DaemonName, dict[LabelKey, Text]] = {}
    """Daemon -> annotations of its pods."""
