"""Headers by which a registry says where to go next: to log in, or for the next page of a list."""

from __future__ import annotations

import re
import urllib.request
from dataclasses import dataclass
from urllib.parse import SplitResult, urljoin, urlsplit

from ops.images.reference import Image
from ops.stacks import StackProblem


@dataclass(frozen=True)
class Challenge:
    """How a registry wants us to log in (WWW-Authenticate, RFC 7235; distribution: token authentication)."""

    scheme: str
    """In small letters."""
    realm: str
    """For bearer: the URL of the token server."""
    server: SplitResult
    """The same, in parts."""
    service: str | None
    scope: str | None

    @classmethod
    def read(cls, image: Image, header: str) -> Challenge:
        """Raises StackProblem for a header that is none."""
        scheme, _, rest = header.partition(" ")
        try:
            said = urllib.request.parse_keqv_list(urllib.request.parse_http_list(rest))
            realm = said.get("realm", "")
            server = urlsplit(realm)
        except (ValueError, IndexError):
            raise StackProblem(
                f"{image.asked}: {image.registry} wants a login in words that cannot be read: look at its settings, or a proxy"
            ) from None
        return cls(scheme.lower(), realm, server, said.get("service"), said.get("scope"))


def following(image: Image, url: str, link: str) -> str | None:
    """The next page after `url`, by its header Link (RFC 8288); None after the last one.

    Raises StackProblem for an address that is none or is not the registry's own: our login would go there.
    """
    found = re.search(r'<([^>]+)>;\s*rel="?next"?', link)
    if found is None:
        return None
    here = urlsplit(url)
    try:
        there = str(urljoin(url, found[1]))
        own = urlsplit(there)[:2] == here[:2] and there != url
    except ValueError:
        own = False
    if not own:
        raise StackProblem(
            f"{image.asked}: {image.registry} continues its list of tags at no address of its own: look at its settings, or a proxy"
        )
    return there
