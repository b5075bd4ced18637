"""An image is judged by its files: those that its layers leave, and what the entry scripts need of them."""

from __future__ import annotations

import gzip
import io
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from pathlib import Path

import pytest

from ops.images import check, layers, verdicts
from ops.images.layers import Tree
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import StackProblem
from tests.support.registry import Store, layer, serving

RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
NOTHING = Image("imap", "r.example", "kolab/imap", "latest", None, ("imap",))


def laid(*each: bytes) -> Tree:
    """What these gzipped layers leave."""
    tree = Tree()
    for content in each:
        with tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))) as opened:
            tree.add(opened, lambda _: True)
    return tree


def linked(links: Mapping[str, str], *, hard: bool = False) -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode="w") as tar:
        for name, target in links.items():
            entry = tarfile.TarInfo(name)
            entry.type, entry.linkname = tarfile.LNKTYPE if hard else tarfile.SYMTYPE, target
            tar.addfile(entry)
    return gzip.compress(buffer.getvalue())


def test_a_later_layer_wins_and_a_whiteout_removes() -> None:
    tree = laid(layer({"etc/a": "1", "etc/b": "1"}), layer({"etc/a": "2", "etc/b": None}))
    assert (tree.text("/etc/a"), tree.find("/etc/b")) == ("2", None)


def test_a_whiteout_removes_a_folder_with_all_below_and_no_neighbour() -> None:
    tree = laid(layer({"etc/a/x": "1", "etc/ab": "1"}), layer({"etc/a": None}))
    assert (tree.find("/etc/a/x"), tree.text("/etc/ab")) == (None, "1")


@pytest.mark.parametrize("order", [("etc/.wh..wh..opq", "etc/new"), ("etc/new", "etc/.wh..wh..opq")])
def test_an_opaque_folder_hides_what_was_below_and_not_what_comes_with_it(order: tuple[str, str]) -> None:
    tree = laid(layer({"etc/old": "1"}), layer(dict.fromkeys(order, "2")))
    assert (tree.find("/etc/old"), tree.text("/etc/new")) == (None, "2")


def test_links_of_folders_and_files_are_followed() -> None:
    tree = laid(
        layer({"usr/sbin/nginx": "n", "opt/real": "r"}),
        linked({"sbin": "usr/sbin", "opt/link": "../opt/real"}),
    )
    assert (tree.text("/sbin/nginx"), tree.text("/opt/link")) == ("n", "r")
    assert laid(linked({"a": "b", "b": "a"})).find("/a") is None


def test_a_hard_link_has_the_content_of_its_file_in_a_layer_below() -> None:
    assert laid(layer({"usr/a": "1"}), linked({"usr/b": "usr/a"}, hard=True)).text("/usr/b") == "1"


def test_a_name_that_leads_out_of_the_image_is_left_out() -> None:
    tree = laid(layer({"../etc/passwd": "x", "ok": "1"}))
    assert sorted(tree.entries) == ["/", "/ok"]


@pytest.mark.parametrize("packing", ["gzip", "none", "zstd"])
def test_layers_are_read_whatever_they_are_packed_with(packing: str) -> None:
    plain = gzip.decompress(layer({"init.sh": "hello"}))
    if packing == "zstd" and shutil.which("zstd") is None:
        pytest.skip("no zstd here")
    packed = {
        "gzip": lambda: gzip.compress(plain),
        "none": lambda: plain,
        "zstd": lambda: subprocess.run(["zstd", "-qc"], input=plain, capture_output=True, check=True).stdout,
    }[packing]()
    store = Store()
    store.add("kolab/imap", "latest", "linux/amd64", packed)
    assert read(store).text("/init.sh") == "hello"


def read(store: Store) -> Tree:
    with serving(store) as host:
        image = Image("imap", host, "kolab/imap", "latest", None, ("imap",))
        found = Registries(find_login=lambda *_: None)
        return layers.tree(found, image, found.manifest(image), check.wanted)


def test_a_layer_that_is_no_archive_is_said() -> None:
    store = Store()
    store.add("kolab/imap", "latest", "linux/amd64", b"nonsense")
    with pytest.raises(StackProblem, match="is no archive that can be read"):
        read(store)


def recipe(name: str) -> dict[str, str | None]:
    """The files of a lab image, and those of its daemon's package that the scripts call."""
    root = RECIPES / name / "rootfs"
    files = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    own = {str(path.relative_to(root)): path for path in files}
    found: dict[str, str | None] = {file: path.read_text("utf-8") for file, path in own.items()}
    for path in check.FILES[name.removesuffix("-b")]:
        found.setdefault(path.lstrip("/"), "there")
    return found


def faults(name: str, files: Mapping[str, str | None]) -> list[str]:
    tree = laid(layer(dict(files)))
    return [each.text for each in check.judge(name, tree)]


@pytest.mark.parametrize("name", sorted(check.FILES))
def test_the_images_of_the_lab_fit(name: str) -> None:
    assert faults(name, recipe(name)) == []


@pytest.mark.parametrize("name", sorted(check.FILES))
def test_an_image_without_a_file_that_is_adjusted_does_not_fit(name: str) -> None:
    for path in check.FILES[name]:
        left = {file: text for file, text in recipe(name).items() if file != path.lstrip("/")}
        assert any(text.startswith(f"{path} is not in it: ") for text in faults(name, left)), path


@pytest.mark.parametrize("name", sorted(check.FILES))
def test_an_image_without_its_init_or_with_a_broken_one_does_not_fit(name: str) -> None:
    files = recipe(name)
    init = next(file for file in files if file.endswith("init.sh"))
    gone = {file: text for file, text in files.items() if file != init}
    assert f"/{init} is not in it, which its entry script runs" in faults(name, gone)
    broken = faults(name, files | {init: "if true; then\n"})
    assert any("is no script that bash can read: " in text for text in broken)


def test_an_init_that_starts_another_daemon_does_not_fit() -> None:
    files = recipe("proxy")
    init = (files["init.sh"] or "").replace("nginx", "angie")
    assert any("/init.sh starts none of nginx" in text for text in faults("proxy", files | {"init.sh": init}))


def test_verdicts_are_printed_and_an_image_that_does_not_fit_is_a_problem(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = Store()
    good = store.add("kolab/proxy", "latest", "linux/amd64", layer(recipe("proxy")))
    bad = recipe("proxy") | {"init.sh": "exec angie\n"}
    store.add("kolab/proxy", "latest", "linux/amd64", layer(bad))
    with serving(store) as host:
        images = [
            Image("proxy", host, "kolab/proxy", "latest", good, ("proxy",)),
            Image("meet", host, "kolab/meet", "latest", None, ("meet",)),
        ]
        asked = Registries(find_login=lambda *_: None)
        verdicts.show(asked, images, [], tag=False, platform="linux/amd64")
        assert capsys.readouterr().out == "proxy: fits\n"
        with pytest.raises(StackProblem, match="proxy would not start here"):
            verdicts.show(asked, images, [], tag=True, platform="linux/amd64")
        assert capsys.readouterr().out.startswith("proxy: does not fit\n  /init.sh starts none of nginx")
