"""`images check` rehearses an image as an update would: it is given the same, and its own sentence is the verdict."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from components import entry
from model import images
from ops.images import made_up, rehearsing
from ops.images.check import Misfit
from ops.images.documents import Configuration
from ops.images.given import Given, Rehearsals
from ops.images.verdicts import Verdict
from ops.room.outside import Said
from tests.support import rooms
from tests.support.deploy import Workload
from tests.support.images import GENERATIONS, Mutant, changed_files, environment
from tests.support.mutants import MUTANTS
from tests.support.nginx import nginx_modules
from tests.support.rooms import needs_room, tar
from tests.support.stacks import deployment, stack

RIGHT = "entry: rehearsed: this image can run here"
STACKS = ("single-node", "cluster", "host-port", "full")


@pytest.mark.parametrize(
    ("said", "word", "lines"),
    [
        (Said(0, f"talk\n{RIGHT}\n"), "fits", []),
        (Said(0, f"entry: warning: no lists\n{RIGHT}\n"), "fits with warnings", ["no lists"]),
        (Said(70, "entry: warning: x\n+ trace\nentry: no /a: it differs\n  more\n"), "does not fit", ["no /a: it differs more", "x"]),
        (Said(70, "nothing of ours\n"), "does not fit", ["its init fails with status 70; its last words are: nothing of ours"]),
        (Said(1, "sed: bad\n"), "does not fit", ["its init fails with status 1; its last words are: sed: bad"]),
        (Said(0, "bye\n"), "does not fit", ["its init ends before it is rehearsed; its last words are: bye"]),
        (Said(0, f"x {RIGHT}"), "does not fit", [f"its init ends before it is rehearsed; its last words are: x {RIGHT}"]),
        (Said(126, ""), "does not fit", ["its init fails with status 126; its last words are: none"]),
    ],
)  # fmt: skip
def test_the_word_of_the_entry_script_is_the_verdict(said: Said, word: str, lines: list[str]) -> None:
    found = Verdict(rehearsing.verdict(said))
    assert (found.word, found.lines) == (word, lines)


def test_an_image_that_waits_without_a_network_is_left_to_the_update() -> None:
    found = Verdict(rehearsing.verdict(Said(None, "waiting for db\n")))
    assert found.word == "fits with warnings"
    assert "the rehearsal of the update will tell; its last words are: waiting for db" in found.lines[0]


def test_words_of_an_image_are_one_line_that_a_terminal_only_shows() -> None:
    (found,) = rehearsing.verdict(Said(70, "entry: \x1b[2Jgone\x07\tand\u202e " + "x" * 9999))
    assert found.text.isprintable()
    assert len(found.text) <= 600


def jobs(name: str) -> list[Workload]:
    return [each for each in deployment(name).workloads if each.name.startswith("rehearse-")]


def everything(name: str) -> dict[str, Given]:
    rehearsals = Rehearsals(stack(name))
    return {each.container: each for image in images.REHEARSED for each in rehearsals.of(image)}


@pytest.mark.thorough
@pytest.mark.parametrize("name", STACKS)
def test_an_image_is_given_all_that_the_job_of_an_update_gives_it(name: str) -> None:
    given = everything(name)
    containers = {each["name"]: (each, job) for job in jobs(name) for each in job.containers}
    assert given.keys() == containers.keys()
    for container, (spec, job) in containers.items():
        found, rights = given[container], spec["securityContext"]
        assert list(found.command) == spec["command"]
        assert (found.user, found.group) == (rights["runAsUser"], rights["runAsGroup"])
        assert list(found.capabilities) == rights["capabilities"].get("add", [])
        assert found.escalation == rights["allowPrivilegeEscalation"]
        common = job.pod["securityContext"].get("fsGroup")
        assert list(found.groups) == ([] if common is None else [common])
        assert {
            each["name"]: each.get("value", "") for each in spec["env"]
        }.items() <= found.environment.items()
        for source in spec.get("envFrom", ()):
            (secret,) = [
                each
                for each in deployment(name).of_kind("Secret")
                if each["metadata"]["name"] == source["secretRef"]["name"]
            ]
            assert secret["stringData"].keys() <= found.environment.keys()
        there = {path for path, *_ in (*found.files, *found.folders)}
        for mount in spec["volumeMounts"]:
            assert mount["mountPath"] in there
        daemon = container if container == "horizon" else job.name.split("-")[1]
        scripts = deployment(name).folder(daemon, container, entry.PATH)
        read = {path: text for path, _, _, text in found.files}
        assert {f"{entry.PATH}/{file}": text for file, text in scripts.items()}.items() <= read.items()


@pytest.mark.thorough
def test_secrets_are_made_up_and_of_the_right_form() -> None:
    given = everything("full")
    assert made_up.secret("databasePassword") in given["postfix"].environment.values()
    keys = {path: text for path, _, _, text in given["amavis"].files if path.startswith("/var/dkim/")}
    assert keys
    assert all(text.startswith("-----BEGIN RSA PRIVATE KEY-----") for text in keys.values())
    pairs = [text for each in given.values() for path, _, _, text in each.files if path.endswith("tls.crt")]
    assert pairs
    assert set(pairs) == {made_up.certificate()["tls.crt"]}
    every = " ".join(text for each in given.values() for *_, text in each.files)
    assert "masked" not in every


@pytest.mark.thorough
def test_names_of_services_are_known_and_lead_to_nobody() -> None:
    (hosts,) = [text for path, _, _, text in everything("cluster")["proxy"].files if path == "/etc/hosts"]
    lines = [line.split() for line in hosts.splitlines()]
    assert {address for address, *_ in lines} <= {"127.0.0.1", "::1", "127.0.0.9"}
    for name in ("webapp", "imap", "imap.kolab.svc.cluster.local"):
        assert any(name in names for _, *names in lines), name


class Proxies:
    """The proxy's image over this machine's nginx."""

    def __init__(self, folder: Path) -> None:
        needs_room()
        modules = nginx_modules()
        self.folder, self.given = folder, Rehearsals(stack("single-node")).of("proxy")
        load = {
            f"usr/share/nginx/modules/{kind}.conf": f"load_module {modules}/ngx_{kind}_module.so;\n"
            for kind in ("mail", "stream")
        }
        own = dict.fromkeys(
            ("etc/nginx/", "etc/nginx/default.d/", "var/log/nginx/", "var/lib/nginx/", "run/"), ""
        )
        # The package's own, which the init writes anew.
        mime = {"etc/nginx/mime.types": "types { }\n", "etc/nginx/nginx.conf": ""}
        check = {"usr/local/bin/contract-check": "#!/bin/sh\n"}
        self.below = [
            rooms.machine(folder / "machine.tar"),
            tar(folder / "nginx.tar", {**load, **check}),
            tar(folder / "own.tar", {**own, **mime}, owner=1001),
        ]

    def verdict(self, mutant: Mutant) -> Verdict:
        files = {path.lstrip("/"): text for path, text in changed_files("proxy", mutant).items()}
        top = tar(self.folder / "top.tar", files, owner=1001)
        lines = [f"{key}={value}" for key, value in environment("proxy", mutant.generation).items()]
        configuration = Configuration.model_validate({"config": {"Env": lines}})
        return Verdict(
            rehearsing.judge([*self.below, top], configuration, self.given, rooms.SHOWN, seconds=120)
        )


@pytest.fixture(scope="module")
def proxies(tmp_path_factory: pytest.TempPathFactory) -> Proxies:
    return Proxies(tmp_path_factory.mktemp("proxies"))


@pytest.mark.thorough
@pytest.mark.parametrize("generation", GENERATIONS)
def test_an_image_of_either_generation_fits(proxies: Proxies, generation: str) -> None:
    found = proxies.verdict(Mutant("as published", {}, generation=generation))
    assert (found.word, found.lines) == ("fits", [])


@pytest.mark.thorough
@pytest.mark.parametrize("mutant", MUTANTS["proxy"], ids=str)
def test_what_the_entry_script_refuses_does_not_fit_and_what_it_makes_right_does(
    proxies: Proxies, mutant: Mutant
) -> None:
    found = proxies.verdict(mutant)
    if mutant.refused is None:
        assert found.word != "does not fit", found.lines
    else:
        assert found.word == "does not fit"
        assert re.search(mutant.refused, found.lines[0])


def test_what_is_wrong_comes_before_what_may_be_missed() -> None:
    found = Verdict([Misfit("warning", "b"), Misfit("does not fit", "a")], "no room")
    assert found.lines == ["a", "b", "only its files were looked at: no room"]
