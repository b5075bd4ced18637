"""Whatever a registry, a token server, a file or a helper says, it is read, or refused with one sentence."""

from __future__ import annotations

import base64
import contextlib
import gzip
import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ops.images import archives, credentials, layers, newer, pin, reference
from ops.images.credentials import Login
from ops.images.documents import INDEXES, MANIFESTS
from ops.images.layers import Tree
from ops.images.layout import Layout
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import StackProblem
from tests.support.registry import PASSWORD, USER, Store, digest, layer, serving
from tests.support.stacks import changed

KNOWN = st.sampled_from(
    ["digest", "manifests", "config", "layers", "platform", "mediaType", "os", "token", "tags", "auths", "auth",
     "credsStore", "credHelpers", "Username", "Secret", "127.0.0.1", "annotations", digest(b"{}"), INDEXES[0], MANIFESTS[0]]
)  # fmt: skip
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | KNOWN,
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(KNOWN | st.text(max_size=8), inner, max_size=3)
    ),
    max_leaves=8,
)
ANYTHING = (
    JSON.map(lambda value: json.dumps(value).encode())
    | st.binary(max_size=40)
    | st.sampled_from([b"", b"<html></html>", b"[" * 100_000, b'{"a":' * 100_000])
)
HEADER = st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=30) | st.sampled_from(
    ["Bearer", "Bearer realm", 'Bearer realm="http://[::1"', "Bearer realm=http://[,service=", "Basic =", '"', "=,=",
     'Bearer realm="https://[x]/token"', 'Bearer realm="http://localhost:x/"', 'Bearer realm="http://127.0.0.1:1/é"']
)  # fmt: skip
MANY = settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
LOGIN = Login(USER, PASSWORD)


@contextlib.contextmanager
def sentences() -> Iterator[None]:
    """What is said is one line, and holds neither a password nor a token."""
    try:
        yield
    except StackProblem as problem:
        said = str(problem).removeprefix("nothing was changed:\n  ")
        assert said.isprintable(), said
        assert ": " in said
        assert PASSWORD not in said
        assert "t0ken" not in said


def everything(host: str, folder: Path) -> None:
    """Whatever reads something of a registry."""
    image = Image("imap", host, "kolab/imap", "latest", None, ("imap",))
    other = Image("restic", host, "kolab/imap", "latest", None, ("restic",))
    found = Registries(find_login=lambda *_: LOGIN, sleep=lambda _: None, timeout=5)

    def brought() -> None:
        layout = Layout(folder)
        layout.write_index([layout.fetch(found, image, "imap")])
        for each in layout.images().values():
            list(layout.missing(each))

    for action in (
        lambda: pin.resolve(found, [image], ["linux/amd64"], lambda _: None),
        lambda: list(read(found, image)),
        lambda: newer.rows(found, [image, other]),
        brought,
    ):
        with sentences():
            action()


def read(found: Registries, image: Image) -> Iterator[Tree]:
    """The files of an image."""
    with archives.of(found, image, found.manifest(image)) as there, layers.tree(image, there) as tree:
        yield tree


@MANY
@given(
    kind=st.sampled_from(["manifests", "blobs", "tags", "token"]),
    content=ANYTHING,
    auth=st.sampled_from(("", "bearer")),
)
def test_an_answer_of_any_kind_is_read_or_refused_with_a_sentence(
    store: Store, host: str, tmp_path: Path, *, kind: str, content: bytes, auth: str
) -> None:
    store.add("kolab/imap", "latest")
    store.auth, store.instead = auth, {kind: content}
    everything(host, tmp_path)


def _places(document: Any, at: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield at
    inner = (
        document.items()
        if isinstance(document, dict)
        else enumerate(document)
        if isinstance(document, list)
        else ()
    )
    for key, value in inner:
        yield from _places(value, (*at, key))


def _changed(document: Any, at: tuple[Any, ...], value: Any) -> Any:
    if not at:
        return value
    copy = dict(document) if isinstance(document, dict) else list(document)
    copy[at[0]] = _changed(document[at[0]], at[1:], value)
    return copy


@MANY
@given(kind=st.sampled_from((*INDEXES[:1], *MANIFESTS[:1])), data=st.data(), value=JSON)
def test_a_manifest_in_which_one_value_is_something_else_is_read_or_refused_with_a_sentence(
    store: Store, host: str, tmp_path: Path, *, kind: str, data: st.DataObject, value: Any
) -> None:
    one = store.add("kolab/imap", "latest", "linux/amd64", layer({"init.sh": "x"}))
    if kind in INDEXES:
        store.add_index("kolab/imap", "latest", {"linux/amd64": one})
    document = json.loads(store.manifests["kolab/imap", "latest"][1])
    at = data.draw(st.sampled_from(list(_places(document))))
    store.store("kolab/imap", "latest", kind, _changed(document, at, value))
    everything(host, tmp_path)


@MANY
@given(HEADER)
def test_a_wish_for_a_login_in_any_words_ends_in_a_sentence(
    store: Store, host: str, tmp_path: Path, header: str
) -> None:
    store.add("kolab/imap", "latest")
    store.auth, store.instead = "bearer", {"WWW-Authenticate": header.encode("latin-1")}
    everything(host, tmp_path)


@pytest.mark.parametrize(
    "place", ["http://[", "http://[::1/", "https://:x/", "http://localhost:99999/", "ftp://x/"]
)
def test_an_address_that_is_none_is_refused_with_a_sentence(
    store: Store, host: str, tmp_path: Path, place: str
) -> None:
    store.add("kolab/imap", "latest", "linux/amd64", layer({"init.sh": "x"}))
    store.redirect_to = place
    everything(host, tmp_path)
    store.redirect_to = ""
    store.instead = {"tags": b'{"tags": ["1"]}', "Link": f'<{place}>; rel="next"'.encode()}
    everything(host, tmp_path)
    with pytest.raises(StackProblem, match="continues its list of tags at no address of its own"):
        tags(host)


def tags(host: str) -> list[str]:
    found = Registries(find_login=lambda *_: LOGIN, sleep=lambda _: None)
    return found.tags(Image("restic", host, "kolab/imap", "latest", None, ("restic",)))


def test_a_list_of_tags_goes_on_at_its_registry_alone_and_comes_to_an_end(store: Store, host: str) -> None:
    store.auth, other = "basic", Store()
    with serving(other) as elsewhere:
        store.instead = {"tags": b'{"tags": ["1"]}', "Link": f'<http://{elsewhere}/>; rel="next"'.encode()}
        with pytest.raises(StackProblem, match="at no address of its own"):
            tags(host)
    assert other.asked == []
    store.instead["Link"] = b'</v2/kolab/imap/tags/list?n=1000>; rel="next"'
    with pytest.raises(StackProblem, match="at no address of its own"):
        tags(host)


def test_a_token_that_no_request_may_have_is_not_repeated(store: Store, host: str, tmp_path: Path) -> None:
    store.add("kolab/imap", "latest")
    store.auth, store.instead = "bearer", {"token": b'{"token": "t0ken\\nx"}'}
    everything(host, tmp_path)


def _logins(folder: Path, content: bytes) -> dict[str, str]:
    (folder / "config.json").write_bytes(content)
    return {"DOCKER_CONFIG": str(folder), "HOME": str(folder / "home")}


@MANY
@given(ANYTHING | JSON.map(lambda value: json.dumps({"auths": {"127.0.0.1": value}}).encode()))
def test_a_file_of_logins_of_any_kind_is_read_or_refused_with_a_sentence(
    tmp_path: Path, content: bytes
) -> None:
    with sentences():
        credentials.login("127.0.0.1", "kolab/imap", _logins(tmp_path, content))


@MANY
@given(ANYTHING.filter(lambda content: len(content) < 1000))
def test_a_helper_that_prints_anything_is_understood_or_refused_with_a_sentence(
    tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "printed").write_bytes(content)
    helper = tmp_path / "docker-credential-vault"
    helper.write_text(f"#!/bin/sh\ncat > {tmp_path}/asked; cat {tmp_path}/printed\n")
    helper.chmod(0o755)
    found = _logins(tmp_path, b'{"credHelpers": {"127.0.0.1": "vault"}}')
    with pytest.MonkeyPatch.context() as patch, sentences():
        patch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        credentials.login("127.0.0.1", "kolab/imap", found)


@pytest.mark.parametrize("said", ["{}", '{"Username": "x", "Secret": null}', "no", '["x"]'])
def test_a_helper_without_a_secret_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, said: str
) -> None:
    helper = tmp_path / "docker-credential-vault"
    helper.write_text(f"#!/bin/sh\necho '{said}'\n")
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    with pytest.raises(
        StackProblem, match=r"docker-credential-vault, which keeps your login for r\.example, does not"
    ):
        credentials.login("r.example", "x", _logins(tmp_path, b'{"credHelpers": {"r.example": "vault"}}'))


@pytest.mark.parametrize(
    "written",
    [lambda plain: base64.encodebytes(plain).decode(), lambda plain: base64.b64encode(plain).decode().rstrip("="),
     lambda plain: base64.b64encode(plain + b"\n").decode()],
    ids=["in lines", "without padding", "with the end of a line"],
)  # fmt: skip
@pytest.mark.parametrize(
    "key", ["r.example", "r.example/", "https://r.example", "https://r.example/v1/", "http://r.example/v2", "r.example/v1/"]
)  # fmt: skip
def test_a_login_is_found_however_it_was_written(
    tmp_path: Path, written: Callable[[bytes], str], key: str
) -> None:
    plain = f"{USER}:{'x' * 70}".encode()
    content = json.dumps({"auths": {key: {"auth": written(plain)}, "other.example": 1}}).encode()
    found = credentials.login("r.example", "kolab/imap", _logins(tmp_path, content))
    assert found == Login(USER, "x" * 70)


@pytest.mark.parametrize(
    ("prefix", "host", "repository"),
    [
        ("someone/kolab", "registry-1.docker.io", "someone/kolab/imap"),
        ("kolab", "registry-1.docker.io", "kolab/imap"),
        ("docker.io/someone", "registry-1.docker.io", "someone/imap"),
        ("localhost/kolab", "localhost", "kolab/imap"),
        ("mirror:5000", "mirror:5000", "imap"),
        ("quay.io/apheleiait/kolab", "quay.io", "apheleiait/kolab/imap"),
    ],
)
def test_an_image_is_asked_for_where_nodes_look_for_it(prefix: str, host: str, repository: str) -> None:
    found = {
        each.name: each for each in reference.of(changed("single-node", {"images": {"registry": prefix}}))
    }
    assert (found["imap"].host, found["imap"].repository) == (host, repository)


@pytest.mark.parametrize("content", [b"", gzip.compress(b"")])
def test_a_layer_without_anything_in_it_adds_nothing(store: Store, host: str, content: bytes) -> None:
    store.add("kolab/imap", "latest", "linux/amd64", layer({"init.sh": "hello"}), content)
    image = Image("imap", host, "kolab/imap", "latest", None, ("imap",))
    found = Registries(find_login=lambda *_: None)
    assert [tree.text("/init.sh") for tree in read(found, image)] == ["hello"]
