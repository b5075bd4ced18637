"""The folders of one mailbox, out of the list of all that `ctl_mboxlist -d` prints of a saved mailboxes.db, as JSON.

Cyrus calls a folder `example.org!user.jane^doe.Projects.2026^x` whose owner, jane.doe@example.org, calls it
`Projects/2026.x` (imapd.conf: virtdomains userid, unixhierarchysep, altnamespace; cyrus-imapd: imap/mboxname.c). Both in
modified UTF-7 (RFC 3501, 5.1.3). Its files lie at PARTITION/uuid/a/b/ab... (imap/mboxname.c, mboxname_id_hash).
"""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ops.stacks import StackProblem

INBOX = "INBOX"
RESTORED = "Restored"
"""Below this folder everything comes back."""
_OF_A_RESTORE = re.compile(rf"{RESTORED}/\d{{4}}-\d\d-\d\d( [^/]*)?(/|$)")
_MAIL, _INTERMEDIATE, _LEGACY, _GONE = "e", "i", "l", "dmrz"
_KINDS = {"c": "calendars", "a": "address books"}
"""Letters of types and flags (cyrus-imapd: imap/mboxlist.c, mboxlist_mbtype_to_string)."""
_ID = re.compile(r"[0-9A-Za-z-]{2,64}")
_PLACE = re.compile(r"(?:meta|archive)?partition-(\S+): (/\S+)")


@dataclass(frozen=True)
class Folder:
    """A folder with mail: the name that its owner sees, its unique id, where its files may lie."""

    name: str
    id: str
    places: tuple[str, ...]

    @property
    def below(self) -> tuple[str, ...]:
        """Folders of the spool that may hold its files."""
        return tuple(f"{place}/uuid/{self.id[0]}/{self.id[1]}/{self.id}" for place in self.places)


@dataclass(frozen=True)
class Mailbox:
    """The folders of one owner, and what of the mailbox stays away: kind -> number."""

    folders: tuple[Folder, ...]
    left_out: Mapping[str, int]


def read(listing: str, address: str) -> Mailbox:
    """The mailbox of `address`. `listing`: lines `partition-NAME: FOLDER` and others of imapd.conf, then the JSON.

    Raises StackProblem when there is none, or the list cannot be read.
    """
    settings, brace, text = listing.partition("{")
    try:
        boxes = json.loads(brace + text)
        if not all(isinstance(each, dict) for each in boxes.values()):
            raise ValueError
    except (ValueError, AttributeError):
        raise StackProblem(
            "the list of mailboxes of this backup cannot be read; take another with --to"
        ) from None
    beginning = _beginning(settings, address)
    own = {name: box for name, box in boxes.items() if name == beginning or name.startswith(f"{beginning}.")}
    if not own:
        raise StackProblem(
            f"this backup holds no mailbox {address}; --to TIME takes an older one, ./kolab backup list shows all"
        )
    return _sorted(own, beginning, _places(settings))


def _beginning(settings: str, address: str) -> str:
    local, _, domain = address.partition("@")
    default = re.search(r"^defaultdomain: (\S+)$", settings, re.MULTILINE)
    owner = f"user.{local.replace('.', '^')}"
    return owner if default and default[1] == domain else f"{domain}!{owner}"


def _places(settings: str) -> dict[str, tuple[str, ...]]:
    """Partition -> the folders of messages, of their indexes, and of the archive, each once."""
    found: dict[str, list[str]] = {}
    for name, place in _PLACE.findall(settings):
        places = found.setdefault(name, [])
        if place.rstrip("/") not in places:
            places.append(place.rstrip("/"))
    return {name: tuple(places) for name, places in found.items()}


def _sorted(
    own: Mapping[str, dict[str, object]], beginning: str, places: Mapping[str, tuple[str, ...]]
) -> Mailbox:
    folders, left_out = [], Counter[str]()
    for inner, box in own.items():
        name = inner.removeprefix(beginning).removeprefix(".").replace(".", "/").replace("^", ".") or INBOX
        kind, id_, where = (str(box.get(key) or "") for key in ("mbtype", "uniqueid", "partition"))
        if reason := _left_out(kind, name):
            left_out[reason] += 1
        elif _INTERMEDIATE in kind or set(kind) & set(_GONE):
            # A name that others lie below, or that is no more: it holds nothing.
            continue
        elif not _ID.fullmatch(id_) or where not in places:
            left_out["folders whose files cannot be found"] += 1
        else:
            folders.append(Folder(name, id_, places[where]))
    return Mailbox(tuple(sorted(folders, key=lambda each: (each.name != INBOX, each.name))), left_out)


def _left_out(kind: str, name: str) -> str | None:
    if _LEGACY in kind:
        return "folders in a layout from before Cyrus 3.6"
    if _OF_A_RESTORE.match(name):
        return "folders of earlier restores"
    letter = kind[:1]
    if letter.isalpha() and letter not in {_MAIL, _INTERMEDIATE, *_GONE}:
        return _KINDS.get(letter, "folders of other programs")
    return None


def indexes(folders: Iterable[Folder], stage: str) -> Sequence[str]:
    """Where a backup has the indexes of these folders: copies below `stage` (components/scripts/backup/mail.sh)."""
    files = ("cyrus.header", "cyrus.index")
    return [f"{stage}{below}/{file}" for each in folders for below in each.below for file in files]


def messages(folders: Iterable[Folder]) -> Sequence[str]:
    """Where it has the messages of these folders, for restic: each is a file called by its number and a dot."""
    return [f"{below}/*." for each in folders for below in each.below]


def file(path: str) -> tuple[str, str]:
    """The folder's id and the file's name of a path in the archive."""
    above, _, name = path.rpartition("/")
    return above.rpartition("/")[2], name
