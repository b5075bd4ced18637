"""Digests come from registries as they really answer: behind logins, redirects and limits, for several platforms."""

from __future__ import annotations

import base64
import json
from pathlib import Path
from typing import Any

import pytest

from ops import images as command
from ops.__main__ import parser
from ops.images import credentials, newer, pin, platforms
from ops.images.credentials import Login
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import StackProblem
from tests.model.files import raw
from tests.ops.editing import Editor
from tests.support.registry import PASSWORD, USER, Store, digest, layer, serving

LOGIN = Login(USER, PASSWORD)


def image(host: str, name: str = "imap", tag: str = "latest") -> Image:
    return Image(name, host, f"kolab/{name}", tag, None, (name,))


def registries(given: Login | None = None, **more: Any) -> Registries:
    return Registries(find_login=lambda *_: given, sleep=lambda _: None, **more)


def said(found: Registries, of: Image) -> str:
    with pytest.raises(StackProblem) as problem:
        found.manifest(of)
    return str(problem.value)


@pytest.mark.parametrize(
    ("auth", "given"), [("", None), ("bearer", None), ("bearer", LOGIN), ("basic", LOGIN)]
)
def test_a_digest_is_found_behind_each_kind_of_login(
    store: Store, host: str, auth: str, given: Login | None
) -> None:
    store.auth = auth
    there = store.add("kolab/imap", "latest")
    assert registries(given).manifest(image(host)).digest == there


def test_a_token_is_asked_for_once(store: Store, host: str) -> None:
    store.auth = "bearer"
    store.add("kolab/imap", "latest")
    found = registries(LOGIN)
    for _ in range(3):
        found.manifest(image(host))
    assert sum(path.startswith("/token") for path, _ in store.asked) == 1


def test_a_password_is_never_sent_without_encryption(store: Store, host: str) -> None:
    store.auth, store.realm = "bearer", "http://auth.example.net/token"
    assert "which is not encrypted: nothing was sent" in said(registries(LOGIN), image(host))


def test_a_login_does_not_follow_to_another_host(store: Store, host: str) -> None:
    other = Store()
    store.auth = "basic"
    there = store.add("kolab/imap", "latest")
    with serving(other) as elsewhere:
        other.blobs, store.redirect_to = store.blobs, elsewhere.replace("127.0.0.1", "localhost")
        found = registries(LOGIN)
        assert platforms.platforms(found, image(host), found.manifest(image(host))) == ["linux/amd64"]
    assert there
    assert [login for _, login in other.asked] == [None]


def test_a_registry_that_asks_to_wait_is_asked_again(store: Store, host: str) -> None:
    store.busy = 2
    there = store.add("kolab/imap", "latest")
    waits: list[float] = []
    found = Registries(find_login=lambda *_: None, sleep=waits.append)
    assert found.manifest(image(host)).digest == there
    assert waits == [1, 1]


def test_a_registry_that_asks_for_an_hour_is_not_waited_for(store: Store, host: str) -> None:
    store.busy, store.retry_after = 1, "3600"
    assert "takes no more questions for now: try again in 3600 seconds, or log in" in said(
        registries(), image(host)
    )


@pytest.mark.parametrize(
    ("auth", "given", "words"),
    [
        ("", None, "has no such image or tag: look at kolab:images"),
        ("basic", None, "wants a login, or has no such image: docker login"),
        ("basic", Login("joe", "wr0ng"), "refuses the stored login of joe: log in again"),
        ("bearer", Login("joe", "wr0ng"), "refuses the stored login of joe: log in again"),
    ],
)
def test_what_a_registry_refuses_is_one_sentence_without_the_password(
    store: Store, host: str, auth: str, given: Login | None, words: str
) -> None:
    store.auth = auth
    found = said(registries(given), image(host))
    assert words in found
    assert found.startswith(f"{host}/kolab/imap:latest: ")
    assert "wr0ng" not in found
    assert "\n" not in found


def test_a_registry_that_is_not_there_or_says_nothing_is_one_sentence(store: Store, host: str) -> None:
    assert "127.0.0.1:1 cannot be reached" in said(registries(), image("127.0.0.1:1"))
    store.silent = 5
    assert f"{host} does not answer in time" in said(registries(timeout=0.05), image(host))


def test_what_does_not_fit_its_digest_is_not_taken(store: Store, host: str) -> None:
    there = store.add("kolab/imap", "latest")
    found = registries()
    manifest = found.manifest(image(host))
    store.corrupt = True
    with pytest.raises(StackProblem, match="is not the one of its digest"):
        found.manifest(image(host), there)
    with pytest.raises(StackProblem, match="is something else"):
        platforms.configuration(found, image(host), manifest)


def test_an_old_manifest_is_refused(store: Store, host: str) -> None:
    store.store("kolab/imap", "latest", "application/vnd.docker.distribution.manifest.v1+json", {})
    assert "instead of a manifest" in said(registries(), image(host))


def test_an_index_is_pinned_as_a_whole_and_must_hold_the_platform(store: Store, host: str) -> None:
    arms = {f"linux/{arm}": store.add("kolab/imap", arm, f"linux/{arm}") for arm in ("amd64", "arm64")}
    notes = store.add("kolab/imap", "notes", "unknown/unknown")
    there = store.add_index("kolab/imap", "latest", {**arms, "unknown/unknown": notes})
    found = registries()
    (pinned,) = pin.resolve(found, [image(host)], ["linux/amd64", "linux/arm64"], lambda _: None)
    assert pinned.digest == there
    assert (
        platforms.of(found, image(host), found.manifest(image(host)), "linux/arm64").digest
        == arms["linux/arm64"]
    )
    with pytest.raises(StackProblem, match=r"none for linux/riscv64, only for linux/amd64, linux/arm64: "):
        pin.resolve(found, [image(host)], ["linux/riscv64"], lambda _: None)


def test_an_image_for_other_machines_alone_is_refused(store: Store, host: str) -> None:
    store.add("kolab/imap", "latest", "linux/arm64")
    with pytest.raises(StackProblem, match="there is none for linux/amd64, only for linux/arm64"):
        pin.resolve(registries(), [image(host)], ["linux/amd64"], lambda _: None)


def test_every_image_that_cannot_be_had_is_named_at_once(store: Store, host: str) -> None:
    store.add("kolab/imap", "latest")
    asked = [image(host, name) for name in ("imap", "postfix", "proxy")]
    with pytest.raises(StackProblem, match=r"(?s)nothing was changed:\n.*kolab/postfix.*\n.*kolab/proxy"):
        pin.resolve(registries(), asked, ["linux/amd64"], lambda _: None)


def editor(host: str, **digests: str) -> Editor:
    values = raw("real", {"images": {"registry": f"{host}/kolab", "digests": digests}})
    return Editor(values | {"monitoring": {"enabled": False}})


def run(made: Editor, monkeypatch: pytest.MonkeyPatch, *arguments: str) -> None:
    monkeypatch.setattr(command, "StackFile", made)
    monkeypatch.setattr(command, "Pulumi", lambda *_: made)
    monkeypatch.setenv("HOME", "/nowhere")
    command.run(parser().parse_args(["images", *arguments, "--stack", "mine"]))


def test_pins_are_written_once_and_an_image_that_has_one_keeps_it(
    store: Store, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    kept = f"sha256:{'1' * 64}"
    made = editor(host, imap=kept)
    ours = ["postfix", "proxy"]
    there = {
        name: store.add(f"kolab/{name}", "latest", "linux/amd64", layer({name: name}))
        for name in (*ours, "imap")
    }
    run(made, monkeypatch, "pin", *ours)
    assert made.values["images"]["digests"] == {name: there[name] for name in ours} | {"imap": kept}
    before = made.writes
    run(made, monkeypatch, "pin", *ours)
    assert made.writes == before
    run(made, monkeypatch, "pin", "imap")
    assert made.values["images"]["digests"]["imap"] == there["imap"]


def test_a_file_that_is_wrong_in_another_way_is_not_written(
    store: Store, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    store.add("kolab/imap", "latest")
    made = editor(host)
    made.values["images"]["digests"] = {"dovecot": f"sha256:{'1' * 64}"}
    with pytest.raises(Exception, match="names no image of this stack"):
        run(made, monkeypatch, "pin", "imap")
    assert made.writes == 0


def test_a_name_that_the_stack_does_not_run_is_refused_with_those_that_it_runs(
    host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(StackProblem, match=r"runs no image prometheus; it runs amavis, "):
        run(editor(host), monkeypatch, "pin", "prometheus")


def test_a_list_says_who_publishes_an_image_and_who_runs_it(
    host: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = editor(host, imap=f"sha256:{'1' * 64}")
    run(made, monkeypatch, "list", "--json")
    rows = {row["name"]: row for row in json.loads(capsys.readouterr().out)}
    assert rows["webapp"]["users"] == ["seed", "webapp", "horizon", "scheduler", "rehearsal"]
    assert (rows["imap"]["owner"], rows["imap"]["digest"]) == ("Kolab", f"sha256:{'1' * 64}")
    assert (rows["restic"]["owner"], rows["restic"]["repository"]) == ("restic", "restic/restic")
    run(made, monkeypatch, "list")
    assert "seed, webapp, horizon, scheduler, rehearsal" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("tag", "others", "expected"),
    [
        ("v3.5.0", ["v3.9.1", "v3.10.0", "v4.0.0-rc.1", "latest", "main"], "v3.10.0"),
        ("0.48.0-debian", ["0.50.0-alpine", "0.49.0-debian"], "0.49.0-debian"),
        ("RELEASE.2025-06-13T11-33-47Z", ["RELEASE.2025-09-07T16-13-09Z"], "RELEASE.2025-09-07T16-13-09Z"),
        ("v1.0.0", ["v0.9.0"], "v1.0.0"),
    ],
)
def test_newer_versions_have_the_shape_of_the_pinned_one(tag: str, others: list[str], expected: str) -> None:
    assert newer.newest(tag, others) == expected


def test_all_pages_of_tags_are_read_and_a_silent_registry_is_a_row(store: Store, host: str) -> None:
    for tag in ("0.18.1", "0.18.2", "0.18.10", "0.19.0", "latest"):
        store.add("restic/restic", tag)
    asked = [
        Image("restic", host, "restic/restic", "0.18.1", None, ("backup-mail",)),
        Image("minio", "127.0.0.1:1", "minio/minio", "1", None, ("minio",)),
    ]
    (first, second) = newer.rows(registries(), asked)
    assert first == ("restic", "0.18.1", "0.19.0 is there")
    assert "cannot be reached" in second[2]


def logins(tmp_path: Path, content: Any) -> dict[str, str]:
    (tmp_path / "config.json").write_text(content if isinstance(content, str) else json.dumps(content))
    return {"DOCKER_CONFIG": str(tmp_path), "HOME": str(tmp_path / "home"), "PATH": str(tmp_path)}


def encoded(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


def test_the_login_with_the_longest_path_counts(tmp_path: Path) -> None:
    auths = {"r.example": encoded("all", "a"), "r.example/kolab": encoded("kolab", "b:c")}
    found = logins(tmp_path, {"auths": auths})
    assert credentials.login("r.example", "kolab/imap", found) == Login("kolab", "b:c")
    assert credentials.login("r.example", "other/x", found) == Login("all", "a")
    assert credentials.login("other.example", "kolab/imap", found) is None


def test_docker_hub_is_known_by_its_old_name(tmp_path: Path) -> None:
    found = logins(tmp_path, {"auths": {"https://index.docker.io/v1/": encoded("hub", "a")}})
    assert credentials.login("registry-1.docker.io", "prom/prometheus", found) == Login("hub", "a")


def test_a_login_may_come_from_a_helper(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    helper = tmp_path / "docker-credential-vault"
    helper.write_text('#!/bin/sh\nread host\necho "{\\"Username\\": \\"$host\\", \\"Secret\\": \\"s\\"}"\n')
    helper.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
    found = logins(tmp_path, {"credHelpers": {"r.example": "vault"}})
    assert credentials.login("r.example", "kolab/imap", found) == Login("r.example", "s")
    gone = logins(tmp_path, {"credHelpers": {"r.example": "gone"}})
    with pytest.raises(StackProblem, match="docker-credential-gone, which keeps your login for"):
        credentials.login("r.example", "kolab/imap", gone)


@pytest.mark.parametrize("content", ["{", "[]", '{"auths": {"r.example": {"auth": "%%"}}}'])
def test_a_file_of_logins_that_cannot_be_read_is_named(tmp_path: Path, content: str) -> None:
    with pytest.raises(StackProblem, match=r"config\.json holds no logins of registries that can be read"):
        credentials.login("r.example", "kolab/imap", logins(tmp_path, content))


def test_the_digest_of_the_stand_in_is_that_of_its_content() -> None:
    assert digest(b"") == "sha256:e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855"
