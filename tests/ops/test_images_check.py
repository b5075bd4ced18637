"""An image is judged by its files: those that its layers leave, and what the entry scripts need of them."""

from __future__ import annotations

import gzip
import io
import re
import shutil
import subprocess
import tarfile
from collections.abc import Mapping
from functools import partial
from pathlib import Path

import pytest

from components import entry
from model import images as model_images
from ops.images import archives, check, layers, platforms, verdicts
from ops.images.documents import INDEXES
from ops.images.layers import Tree
from ops.images.reference import Image
from ops.images.registry import Registries
from ops.stacks import StackProblem
from tests.support.images import Mutant, changed_files
from tests.support.mutants import MUTANTS
from tests.support.registry import Store, layer, serving
from tests.support.stacks import stack

RECIPES = Path(__file__).parent.parent / "lab/images/recipes"
NOTHING = Image("imap", "r.example", "kolab/imap", "latest", None, ("imap",))


def laid(*each: bytes) -> Tree:
    """What these gzipped layers leave."""
    tree = Tree()
    for content in each:
        # Open as long as the tree is: it reads from there.
        tree.add(tarfile.open(fileobj=io.BytesIO(gzip.decompress(content))))  # noqa: SIM115
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


def test_what_is_put_into_or_taken_out_of_a_folder_through_a_link_is_where_that_leads() -> None:
    merged = linked({"sbin": "usr/sbin"}), layer({"usr/sbin/old": "1"})
    tree = laid(*merged, layer({"sbin/nginx": "n", "sbin/old": None, "sbin/new/er": "2"}))
    assert (tree.text("/usr/sbin/nginx"), tree.find("/usr/sbin/old")) == ("n", None)
    assert tree.text("/sbin/new/er") == tree.text("/usr/sbin/new/er") == "2"
    assert laid(*merged, layer({"sbin/.wh..wh..opq": "", "sbin/new": "2"})).find("/usr/sbin/old") is None


def test_a_folder_in_place_of_a_link_takes_nothing_from_where_that_led() -> None:
    below = layer({"usr/lib/modules/a.so": "1"}), linked({"usr/share/modules": "../lib/modules"})
    tree = laid(*below, layer({"usr/share/modules/": "", "usr/share/modules/.wh..wh..opq": ""}))
    assert tree.text("/usr/lib/modules/a.so") == "1"
    assert tree.find("/usr/share/modules/a.so") is None


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
    assert read(store) == "hello"


def read(store: Store) -> str | None:
    """The init of an image."""
    with serving(store) as host:
        image = Image("imap", host, "kolab/imap", "latest", None, ("imap",))
        found = Registries(find_login=lambda *_: None)
        with archives.of(found, image, found.manifest(image)) as there, layers.tree(image, there) as tree:
            text = tree.text("/init.sh")
    return text


def test_a_layer_that_is_no_archive_is_said() -> None:
    store = Store()
    store.add("kolab/imap", "latest", "linux/amd64", b"nonsense")
    with pytest.raises(StackProblem, match="is no archive that can be read"):
        read(store)


DAEMONS = {
    "proxy": ["usr/sbin/nginx"],
    "imap": ["usr/libexec/master"],
    "postfix": ["usr/sbin/postfix", "usr/sbin/postconf"],
    "amavis": ["usr/sbin/amavisd"],
    "collabora": ["usr/bin/coolwsd"],
    "webapp": ["opt/app-root/src/artisan"],
    "roundcube": ["usr/sbin/httpd"],
}
"""Files of the daemons' packages that the scripts call."""


def recipe(name: str) -> dict[str, str | None]:
    """The files of a lab image, and those of its daemon's package that the scripts call."""
    root = RECIPES / name / "rootfs"
    files = (path for path in root.rglob("*") if path.is_file() and "__pycache__" not in path.parts)
    own = {str(path.relative_to(root)): path for path in files}
    found: dict[str, str | None] = {file: path.read_text("utf-8") for file, path in own.items()}
    return dict.fromkeys(DAEMONS[name.removesuffix("-b")], "there") | found


def faults(name: str, files: Mapping[str, str | None]) -> list[str]:
    tree = laid(layer(dict(files)))
    return [each.text for each in check.judge(name, tree)]


def test_every_image_that_an_update_rehearses_is_looked_at() -> None:
    assert sorted(check.NEEDS) == sorted(model_images.REHEARSED)


@pytest.mark.parametrize("name", sorted(check.NEEDS))
def test_the_images_of_the_lab_fit(name: str) -> None:
    assert faults(name, recipe(name)) == []


@pytest.mark.parametrize("name", sorted(check.NEEDS))
def test_an_image_without_a_file_that_is_adjusted_does_not_fit(name: str) -> None:
    for need in check.NEEDS[name]:
        left = {file: text for file, text in recipe(name).items() if file != need.path.lstrip("/")}
        assert any(text.startswith(f"{need.path} is not in it: ") for text in faults(name, left)), need


@pytest.mark.parametrize("name", sorted(set(check.NEEDS) - {"webapp"}))
def test_an_image_without_its_daemon_does_not_fit(name: str) -> None:
    files = {file: text for file, text in recipe(name).items() if file not in DAEMONS[name]}
    assert any(re.search(r" is not in it, which \S+init.sh starts", text) for text in faults(name, files))


@pytest.mark.parametrize("name", sorted(check.NEEDS))
def test_an_image_without_its_init_or_with_a_broken_one_does_not_fit(name: str) -> None:
    files = recipe(name)
    init = next(file for file in files if file.endswith("init.sh"))
    gone = {file: text for file, text in files.items() if file != init}
    assert f"/{init} is not in it, which its entry script runs" in faults(name, gone)
    broken = faults(name, files | {init: "if true; then\n"})
    assert any("is no script that bash can read: " in text for text in broken)


@pytest.mark.parametrize("name", sorted(set(check.NEEDS) - {"webapp"}))
@pytest.mark.parametrize("hard", [False, True], ids=["symbolic", "hard"])
def test_an_init_may_be_a_link(name: str, hard: bool) -> None:
    files = recipe(name)
    init = next(file for file in files if file.endswith("init.sh"))
    files["opt/start"] = files.pop(init)
    link = linked({init: "opt/start" if hard else "/opt/start"}, hard=hard)
    assert [each.text for each in check.judge(name, laid(layer(files), link))] == []


RIGHT = [(name, mutant) for name, found in MUTANTS.items() for mutant in found if mutant.refused is None]


@pytest.mark.parametrize(("name", "mutant"), RIGHT, ids=str)
def test_an_image_that_is_right_in_effect_is_not_refused_by_its_files(name: str, mutant: Mutant) -> None:
    files = {path.lstrip("/"): text for path, text in changed_files(name, mutant).items()}
    assert faults(name, dict.fromkeys(DAEMONS[name], "there") | files) == []


@pytest.mark.parametrize(
    "path", [path for path in next(check.daemons(entry.scripts("imap")["entry.sh"])) if path.startswith("/")]
)
def test_cyrus_may_lie_wherever_the_entry_script_knows_it(path: str) -> None:
    files = recipe("imap")
    del files["usr/libexec/master"]
    files[path.lstrip("/")] = "there"
    files["init.sh"] = (files["init.sh"] or "").replace("/usr/libexec/master", path)
    assert faults("imap", files) == []


def test_an_init_that_starts_another_daemon_does_not_fit() -> None:
    files = recipe("proxy")
    init = (files["init.sh"] or "").replace("nginx", "angie")
    assert any("/init.sh starts none of nginx" in text for text in faults("proxy", files | {"init.sh": init}))


def test_an_image_within_a_list_within_a_list_is_the_one_that_is_looked_at() -> None:
    store = Store()
    one = store.add("kolab/imap", "one", "linux/amd64", layer({"init.sh": "hello"}))
    inner = store.add_index("kolab/imap", "inner", {"linux/amd64": one})
    store.store(
        "kolab/imap", "latest", INDEXES[0], {"manifests": [{"mediaType": INDEXES[0], "digest": inner}]}
    )
    with serving(store) as host:
        image = Image("imap", host, "kolab/imap", "latest", None, ("imap",))
        found = Registries(find_login=lambda *_: None)
        top = found.manifest(image)
        assert platforms.platforms(found, image, top) == ["linux/amd64"]
        assert platforms.of(found, image, top, "linux/amd64").digest == one


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
        kolab = stack("single-node")
        show = partial(verdicts.show, asked, kolab, images, [], platform="linux/amd64", files_only=True)
        show(tag=False)
        looked = "  only its files were looked at: so it was asked for\n"
        assert capsys.readouterr().out == f"proxy: fits\n{looked}"
        with pytest.raises(StackProblem, match="proxy would not start here"):
            show(tag=True)
        out = capsys.readouterr().out
    assert out.startswith("proxy: does not fit\n  /init.sh starts none of nginx")
    assert out.endswith(looked)


def test_an_image_for_another_machine_is_looked_at_by_its_files_and_that_is_said(
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = Store()
    store.add("kolab/proxy", "latest", "linux/s390x", layer(recipe("proxy")))
    with serving(store) as host:
        image = Image("proxy", host, "kolab/proxy", "latest", None, ("proxy",))
        asked = Registries(find_login=lambda *_: None)
        verdicts.show(asked, stack("single-node"), [image], [], tag=True, platform="linux/s390x")
    assert "only its files were looked at: this machine does not run linux/s390x" in capsys.readouterr().out
