"""Many accounts from a file: CSV as spreadsheets write it, or LDIF as directories do (RFC 2849)."""

from __future__ import annotations

import base64
import binascii
import csv
import io
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from model.settings import Settings
from ops.people import passwords
from ops.people.application import address
from ops.stacks import StackProblem

COLUMNS = ("email", "password", "quota", "aliases")
_PEOPLE = {"inetorgperson", "kolabinetorgperson", "mailrecipient", "person", "organizationalperson"}


@dataclass(frozen=True)
class Account:
    """An account as it shall be. No password: one is made. No quota: that of the package. Quota in GiB."""

    email: str
    password: str | None = None
    quota: int | None = None
    aliases: tuple[str, ...] = ()

    def __repr__(self) -> str:
        """Without its password: a trace may print it."""
        return f"Account({self.email})"


def read(path: Path, settings: Settings) -> list[Account]:
    """The accounts of a file, each once. Raises StackProblem with the line of the first fault; nothing was made then."""
    try:
        text = path.read_text("utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise StackProblem(
            f"{path} cannot be read: {getattr(error, 'strerror', None) or 'it is not UTF-8'}"
        ) from None
    rows = _csv(text) if path.suffix == ".csv" else _ldif(text) if path.suffix == ".ldif" else None
    if rows is None:
        raise StackProblem(f"{path.name} must end in .csv or .ldif, which says how it is written")
    found: dict[str, Account] = {}
    taken: dict[str, int] = {}
    try:
        for line, values in rows:
            account = _account(line, values, settings)
            for each in (account.email, *account.aliases):
                if each in taken:
                    raise StackProblem(f"line {line}: {each} stands in line {taken[each]} already")
                taken[each] = line
            found[account.email] = account
    except csv.Error as error:
        raise StackProblem(f"{path.name}: {error}") from None
    except StackProblem as problem:
        raise StackProblem(f"{path.name}, {problem}; nothing was changed") from None
    if not found:
        raise StackProblem(f"{path.name} names no account")
    return list(found.values())


def _account(line: int, values: dict[str, str], settings: Settings) -> Account:
    try:
        email = address(values.get("email", ""), settings)
        aliases = tuple(
            address(each, settings) for each in values.get("aliases", "").replace(";", " ").split()
        )
    except StackProblem as problem:
        raise StackProblem(f"line {line}: {problem}") from None
    quota = values.get("quota", "").strip()
    if quota and not (quota.isdigit() and 1 <= int(quota) <= 10_000):
        raise StackProblem(f"line {line}: the quota must be a whole number of GiB, such as 5")
    password = values.get("password") or None
    if password and (wrong := passwords.fault(password, settings.passwords)):
        raise StackProblem(f"line {line}: the password of {email} {wrong}")
    return Account(email, password, int(quota) if quota else None, aliases)


def _csv(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Rows below a head. Excel writes semicolons where commas are decimal."""
    head = text.partition("\n")[0]
    reader = csv.DictReader(
        io.StringIO(text), delimiter=";" if head.count(";") > head.count(",") else ",", strict=True
    )
    names = [(name or "").strip().lower() for name in reader.fieldnames or []]
    unknown = [name for name in names if name not in COLUMNS]
    if "email" not in names or unknown:
        wrong = f"{', '.join(map(repr, unknown))} is no column" if unknown else "there is no column email"
        raise StackProblem(f"line 1: {wrong}; the first line names columns of {', '.join(COLUMNS)}")
    reader.fieldnames = names
    for row in reader:
        if None in row or None in row.values():
            raise StackProblem(f"line {reader.line_num}: has another number of columns than the first line")
        if any(row.values()):
            yield (
                reader.line_num,
                {key: value.strip() if key != "password" else value for key, value in row.items()},
            )


def _ldif(text: str) -> Iterator[tuple[int, dict[str, str]]]:
    """Entries of people: mail, alias, mailquota (KiB), userPassword where it is no hash."""
    for line, entry in _entries(text):
        if not {each.lower() for each in entry.get("objectclass", [])} & _PEOPLE or "mail" not in entry:
            continue
        # Kolab's own attribute has the other addresses; without it further values of mail are those.
        aliases = [*entry.get("alias", []), *entry["mail"][1:]]
        values = {"email": entry["mail"][0], "aliases": " ".join(aliases)}
        quota = entry.get("mailquota", [""])[0]
        if quota:
            if not quota.isdigit():
                raise StackProblem(f"line {line}: mailquota must be a number of KiB")
            values["quota"] = str(max(1, -(-int(quota) // 1048576)))
        password = entry.get("userpassword", [""])[0]
        # A hash such as {SSHA}... is nobody's password; the application has no command that takes one.
        values["password"] = "" if password.startswith("{") else password
        yield line, values


def _entries(text: str) -> Iterator[tuple[int, dict[str, list[str]]]]:
    first, entry = 0, dict[str, list[str]]()
    for number, line in [*_unfolded(text), (0, "")]:
        if not line:
            if entry:
                yield first, entry
            first, entry = 0, {}
            continue
        name, colon, value = line.partition(":")
        if not colon:
            raise StackProblem(f"line {number}: is no attribute and value, such as mail: jane@example.org")
        if value.startswith("<"):
            raise StackProblem(f"line {number}: values from files (:<) are not read")
        if value.startswith(":"):
            try:
                value = base64.b64decode(value[1:].strip(), validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                raise StackProblem(f"line {number}: is no base64 of text") from None
        first = first or number
        entry.setdefault(name.partition(";")[0].strip().lower(), []).append(value.strip())


def _unfolded(text: str) -> list[tuple[int, str]]:
    """Lines with what continues them; comments are left out."""
    found: list[tuple[int, str]] = []
    for number, line in enumerate(text.splitlines(), 1):
        if line.startswith(" ") and found:
            found[-1] = (found[-1][0], found[-1][1] + line[1:])
        else:
            found.append((number, line))
    return [(number, line) for number, line in found if not line.startswith("#")]
