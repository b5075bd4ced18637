"""A registry, asked by its HTTP API (OCI distribution specification 1.1, https://distribution.github.io/distribution/spec/api/).

Every failure is a StackProblem: one sentence that names the image, what the registry said, and what to do.
"""

from __future__ import annotations

import hashlib
import ipaddress
import re
import ssl
import time
import urllib.request
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, urlencode, urlsplit

import urllib3

from ops.images import words
from ops.images.credentials import Login, login
from ops.images.documents import INDEXES, MANIFESTS, Index, SingleImage, Tags, Token, read
from ops.images.headers import Challenge, following
from ops.images.reference import Image
from ops.stacks import StackProblem

_TIMES = 4
"""Attempts where the registry asks to wait."""
_PATIENCE = 60
"""Seconds to wait for one of them at most."""
_LARGEST = 4 * 1024**2
"""Bytes of a manifest (OCI distribution specification, "Pushing Manifests": 4 MB)."""
_FORM = {"Content-Type": "application/x-www-form-urlencoded"}
_DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@dataclass(frozen=True)
class Manifest:
    """What a digest stands for: one image, or an index of one for each platform."""

    digest: str
    kind: str
    content: bytes = field(repr=False)
    document: SingleImage | Index = field(repr=False)

    @property
    def is_index(self) -> bool:
        """Whether it lists images of several platforms."""
        return isinstance(self.document, Index)


@dataclass
class Registries:
    """Registries, each with its login. `authorities` is a file with certificates of those of our own."""

    authorities: Path | None = None
    find_login: Callable[[str, str], Login | None] = login
    sleep: Callable[[float], None] = time.sleep
    timeout: float = 20
    """Seconds to connect, and to wait for each part of an answer."""
    _pools: dict[str, urllib3.PoolManager] = field(default_factory=dict, repr=False)
    _authorized: dict[tuple[str, str], str] = field(default_factory=dict, repr=False)

    def manifest(self, image: Image, reference: str | None = None) -> Manifest:
        """The manifest of `reference` (a digest or a tag; else the image's tag), proven by its digest."""
        wanted = reference or image.tag
        url = f"{self._at(image)}/manifests/{quote(wanted, safe=':')}"
        answer = self._get(image, url, {"Accept": ", ".join((*INDEXES, *MANIFESTS))})
        content = self._body(image, answer)
        kind = answer.headers.get("Content-Type", "").partition(";")[0].strip()
        if kind not in (*INDEXES, *MANIFESTS):
            raise StackProblem(
                f"{image.asked}: {image.registry} answers with {kind or 'nothing'} instead of a manifest"
                " (schema 1 is not read): push the image anew"
            )
        digest = f"sha256:{hashlib.sha256(content).hexdigest()}"
        claimed = wanted if _DIGEST.fullmatch(wanted) else answer.headers.get("Docker-Content-Digest", digest)
        if claimed != digest:
            raise StackProblem(
                f"{image.asked}: the manifest that {image.registry} sends is not the one of its digest {claimed}:"
                " something between here and there changes it"
            )
        complaint = f"{image.asked}: what {image.registry} sends is no manifest of an image"
        hint = "push the image anew, or look at the mirror"
        if kind in INDEXES:
            return Manifest(digest, kind, content, read(Index, content, complaint, hint))
        return Manifest(digest, kind, content, read(SingleImage, content, complaint, hint))

    def blob(self, image: Image, digest: str) -> Iterator[bytes]:
        """The bytes of a layer or a configuration, in parts; the last one comes only after the digest has been proven."""
        answer = self._get(image, f"{self._at(image)}/blobs/{digest}", {})
        seen, held = hashlib.sha256(), b""
        try:
            for part in answer.stream(1 << 20):
                seen.update(part)
                yield held
                held = part
        except urllib3.exceptions.HTTPError:
            raise StackProblem(
                f"{image.asked}: {image.registry} broke off amid {digest}: try again"
            ) from None
        finally:
            answer.release_conn()
        if f"sha256:{seen.hexdigest()}" != digest:
            raise StackProblem(f"{image.asked}: what {image.registry} sends as {digest} is something else")
        yield held

    def tags(self, image: Image) -> list[str]:
        """All tags of the image's repository."""
        url: str | None = f"{self._at(image)}/tags/list?n=1000"
        found: list[str] = []
        while url:
            answer = self._get(image, url, {})
            complaint = f"{image.asked}: what {image.registry} sends is no list of tags"
            found += read(Tags, self._body(image, answer), complaint, "look at its address, or a proxy").tags
            url = following(image, url, answer.headers.get("Link", ""))
        return found

    def _at(self, image: Image) -> str:
        scheme = "http" if _is_here(image.host) else "https"
        return f"{scheme}://{image.host}/v2/{image.repository}"

    def _get(self, image: Image, url: str, headers: Mapping[str, str]) -> urllib3.BaseHTTPResponse:
        """An answer with status 200, after whatever the registry wants to know about us."""
        place = (image.host, image.repository)
        for known in (True, False):
            authorization = self._authorized.get(place)
            sent = {**headers, **({"Authorization": authorization} if authorization else {})}
            answer = self._patiently(image, url, sent)
            if answer.status != 401 or not known:
                break
            answer.drain_conn()
            asked = Challenge.read(image, answer.headers.get("WWW-Authenticate", ""))
            self._authorized[place] = self._authorize(image, asked)
        if answer.status != 200:
            raise StackProblem(words.said(image, answer, self.find_login(image.host, image.repository)))
        return answer

    def _authorize(self, image: Image, asked: Challenge) -> str:
        """The Authorization header that a challenge asks for."""
        given = self.find_login(image.host, image.repository)
        if asked.scheme == "basic":
            if given is None or given.is_token:
                raise StackProblem(words.login_needed(image))
            return given.basic
        if asked.scheme != "bearer":
            raise StackProblem(
                f"{image.asked}: {image.registry} wants a login of a kind that is not known here ({asked.scheme or 'it names none'})"
            )
        server = asked.server
        if server.scheme != "https" and not (server.scheme == "http" and _is_here(server.netloc)):
            raise StackProblem(
                f"{image.asked}: {image.registry} sends logins to {asked.realm or 'nowhere'}, which is not encrypted: nothing was sent"
            )
        answer = self._token(image, asked, given)
        if answer.status != 200:
            raise StackProblem(words.said(image, answer, given))
        complaint = f"{image.asked}: {server.netloc} answers the login without a token"
        document = read(Token, self._body(image, answer), complaint, "look at its address, or a proxy")
        token = document.token or document.access_token
        if not token:
            raise StackProblem(f"{complaint}: look at its address, or a proxy")
        return f"Bearer {token}"

    def _token(self, image: Image, asked: Challenge, given: Login | None) -> urllib3.BaseHTTPResponse:
        realm, scope = asked.realm, asked.scope or f"repository:{image.repository}:pull"
        wanted = {"service": asked.service} if asked.service is not None else {}
        if given and given.is_token:
            form = {"grant_type": "refresh_token", "refresh_token": given.password, "client_id": "kolab"}
            return self._patiently(image, realm, {}, fields={**wanted, "scope": scope, **form})
        headers = {"Authorization": given.basic} if given else {}
        joint = "&" if "?" in realm else "?"
        return self._patiently(image, f"{realm}{joint}{urlencode({**wanted, 'scope': scope})}", headers)

    def _patiently(
        self, image: Image, url: str, headers: Mapping[str, str], fields: Mapping[str, str] | None = None
    ) -> urllib3.BaseHTTPResponse:
        """One request, sent again where the answer is to wait (429, RFC 6585 section 4; 503)."""
        for attempt in range(1, _TIMES + 1):
            answer = self._once(image, url, headers, fields)
            if answer.status not in (429, 502, 503, 504) or attempt == _TIMES:
                return answer
            wait = _wait(answer.headers.get("Retry-After"), attempt)
            if wait > _PATIENCE:
                return answer
            answer.drain_conn()
            self.sleep(wait)
        raise AssertionError("there is at least one attempt")

    def _once(
        self, image: Image, url: str, headers: Mapping[str, str], fields: Mapping[str, str] | None
    ) -> urllib3.BaseHTTPResponse:
        try:
            return self._pool(url).request(
                "POST" if fields else "GET",
                url,
                headers={**headers, **(_FORM if fields else {})},
                body=urlencode(fields) if fields else None,
                preload_content=False,
                timeout=urllib3.Timeout(connect=self.timeout, read=self.timeout),
                # Logins do not follow to another host: blobs often lie at one, behind an address that is signed.
                retries=urllib3.Retry(
                    total=5, connect=0, read=0, other=0, redirect=5, respect_retry_after_header=False
                ),
            )
        except urllib3.exceptions.HTTPError as error:
            raise StackProblem(words.unreachable(image, _host(url), error)) from None
        except ValueError:
            # An address or a token with signs that no request may have. The error would repeat them.
            raise StackProblem(
                f"{image.asked}: {image.registry} or its token server names an address or a token that cannot be used:"
                " look at its settings, or a proxy"
            ) from None

    def _body(self, image: Image, answer: urllib3.BaseHTTPResponse) -> bytes:
        try:
            content = answer.read(_LARGEST + 1)
        except urllib3.exceptions.HTTPError as error:
            raise StackProblem(words.unreachable(image, image.host, error)) from None
        finally:
            answer.release_conn()
        if len(content) > _LARGEST:
            raise StackProblem(
                f"{image.asked}: {image.registry} sends more than the 4 MB that a manifest may have"
            )
        return bytes(content)

    def _pool(self, url: str) -> urllib3.PoolManager:
        target = urlsplit(url)
        key = f"{target.scheme}://{target.netloc}"
        if key not in self._pools:
            self._pools[key] = self._connect(target.scheme, target.netloc)
        return self._pools[key]

    def _connect(self, scheme: str, netloc: str) -> urllib3.PoolManager:
        context = ssl.create_default_context() if scheme == "https" else None
        docker = Path("/etc/docker/certs.d") / netloc / "ca.crt"
        for file in (self.authorities, docker if docker.is_file() else None):
            if file is None or context is None:
                continue
            try:
                context.load_verify_locations(file)
            except (OSError, ssl.SSLError):
                raise StackProblem(f"{file} holds no certificates in PEM that can be read") from None
        proxy = urllib.request.getproxies().get(scheme)
        if proxy and not urllib.request.proxy_bypass(netloc):
            return urllib3.ProxyManager(proxy, ssl_context=context)
        return urllib3.PoolManager(ssl_context=context)


def _is_here(netloc: str) -> bool:
    """Whether a host is this machine: as for Docker, only such a registry may speak without TLS."""
    host = urlsplit(f"//{netloc}").hostname or ""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _host(url: str) -> str:
    """The host in a URL, were it broken."""
    return url.partition("://")[2].partition("/")[0]


def _wait(asked: str | None, attempt: int) -> float:
    """Seconds to wait. A date is not read: registries send seconds."""
    return float(asked) if asked and asked.isdigit() else float(2**attempt)
