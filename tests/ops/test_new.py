"""`./kolab new`: answers become a stack file that all rules accept, and nothing is written otherwise."""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import dns.exception
import pytest
import yaml

from model import topology
from model.rules.cluster_storage import volumes
from model.settings import Settings
from ops import new
from ops.__main__ import main
from ops.new import begin, cluster, look, questions
from ops.new.questions import Asker
from ops.stacks import StackFile, StackProblem
from tests.clusters.recorded import answers as answered
from tests.clusters.recorded import read
from tests.support.api_server import api_server

VPS = ("--domain", "kolabtest.eu", "--addresses", "11.0.0.1")
NAT = (
    "--domain=kolabtest.eu",
    "--mode=cluster",
    "--addresses=proxy=10.20.0.10,smtp=10.20.0.11,turn=10.20.0.12,sieve=10.20.0.13,meet=10.20.0.14",
    "--public=11.0.0.1",
    "--egress=node1=11.0.0.1,node2=11.0.0.1",
)


@pytest.fixture(autouse=True)
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A checkout without stacks, on a machine without network, kubeconfig or terminal."""
    (tmp_path / "stacks").mkdir()
    monkeypatch.setattr(new, "ROOT", tmp_path)
    monkeypatch.setattr(cluster, "contexts", lambda: ["home", "prod"])
    monkeypatch.setattr("sys.stdin.isatty", lambda: False, raising=False)
    answers(monkeypatch, None)
    for name in ("backend", "passphrase", "stack", "keys"):
        monkeypatch.setattr(begin, name, lambda *_, **__: None)
    return tmp_path


def answers(monkeypatch: pytest.MonkeyPatch, zone: dict[tuple[str, str], list[str]] | None) -> None:
    """What DNS says; None when nobody answers."""

    def ask(name: str, kind: str) -> list[str]:
        if zone is None:
            raise dns.exception.Timeout
        return zone.get((name, kind), [])

    monkeypatch.setattr(look, "_ask", ask)


def written(root: Path, name: str = "mine") -> dict[str, Any]:
    """The keys of the stack file."""
    return StackFile.read(name, root).values


def test_two_options_are_enough_for_a_vps_without_network_or_cluster(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", *VPS]) == 0
    said = capsys.readouterr()
    assert "could not look up kolabtest.eu" in said.err
    assert "./kolab preview --stack mine" in said.out
    values = written(root)
    assert values["kubernetes"] == {"render": "rendered/mine/manifests"}
    assert values["network"]["loadBalancer"] == "hostPort"
    assert values["network"]["egress"] == {"mode": "nodes", "nodes": {"server1": ["11.0.0.1"]}}
    assert values["mail"]["mx"] == {"stage": "hold"}


def test_two_nodes_behind_one_public_address(root: Path) -> None:
    assert main(["new", *NAT]) == 0
    network = written(root)["network"]
    assert set(network["public"].values()) == {"11.0.0.1"}
    assert set(network["egress"]["nodes"]) == {"node1", "node2"}


def test_the_addresses_question_names_every_public_service_of_a_new_stack(root: Path) -> None:
    (asked,) = (each for each in questions.ALL if each.key == "addresses")
    assert all(f"{service}=..." in asked.about for service in look.SERVICES)
    written_down = ",".join(f"{service}=10.20.0.{n}" for n, service in enumerate(look.SERVICES, 10))
    assert main(["new", *NAT, f"--addresses={written_down}"]) == 0
    found = Settings.model_validate(written(root))
    assert all(topology.load_balancer_addresses(found).values())


def test_a_storage_class_is_named_for_every_volume(root: Path) -> None:
    main(["new", *VPS, "--storage-class", "disks"])
    stack = Settings.model_validate(written(root))
    assert {getattr(stack.storage, each).storage_class for each in volumes(stack)} == {"disks"}


def test_every_section_of_the_file_has_a_word_about_it(root: Path) -> None:
    main(["new", *NAT, "--alerts", "jane@elsewhere.eu"])
    lines = (root / "stacks" / "Pulumi.mine.yaml").read_text().splitlines()
    sections = [n for n, line in enumerate(lines) if line.startswith("  kolab:")]
    bare = [lines[n] for n in sections if "#" not in lines[n - 1] and "#" not in lines[n + 1]]
    assert bare == []


# The world


def test_an_existing_website_stays_where_it_is(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    zone = {("kolabtest.eu", "NS"): ["ns1.host.eu."], ("kolabtest.eu", "A"): ["11.0.9.9"]}
    answers(monkeypatch, zone)
    main(["new", *VPS])
    assert written(root)["hosts"] == {"website": "kolab.kolabtest.eu"}
    assert written(root)["dns"]["nameservers"] == {"ns1.host.eu": []}


@pytest.mark.parametrize(
    ("zone", "website"),
    [
        ({("kolabtest.eu", "NS"): ["ns1.host.eu."]}, "kolabtest.eu"),
        ({}, "kolab.kolabtest.eu"),
        (None, "kolab.kolabtest.eu"),
    ],
    ids=["delegated and empty", "not delegated", "nobody answers"],
)
def test_the_bare_domain_is_taken_only_when_it_is_known_to_be_free(
    zone: dict[tuple[str, str], list[str]] | None, website: str, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answers(monkeypatch, zone)
    main(["new", *VPS])
    assert written(root)["hosts"] == {"website": website}


def test_what_the_live_domain_has_is_said(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    found = {
        ("kolabtest.eu", "NS"): ["ada.ns.cloudflare.com."],
        ("kolabtest.eu", "MX"): ["10 mx.old.eu."],
        ("kolabtest.eu", "TXT"): ['"v=spf1 mx -all"', '"other"'],
        ("_dmarc.kolabtest.eu", "TXT"): ['"v=DMARC1; p=none"'],
    }
    answers(monkeypatch, found)
    world = look.World()
    said = "\n".join(world.learn("domain", {"domain": "kolabtest.eu"}))
    assert world.at_cloudflare
    assert all(text in said for text in ("10 mx.old.eu.", "v=spf1 mx -all", "v=DMARC1"))
    assert '"other"' not in said


def test_what_the_cluster_shows_is_offered(monkeypatch: pytest.MonkeyPatch, root: Path) -> None:
    seen = cluster.Seen(
        nodes=("vps1",),
        external={"vps1": "11.0.0.7"},
        issuers=("le-prod",),
        says={
            "network": {
                "podCidr": "10.244.0.0/16",
                "serviceCidr": "10.96.0.0/12",
                "cni": "cilium",
                "dns": {"ports": [8053]},
            },
            "kubernetes": {"api": {"ports": [16443]}},
        },
    )
    monkeypatch.setattr(cluster, "look", lambda _: seen)
    assert main(["new", "--domain", "kolabtest.eu", "--context", "prod"]) == 0
    values = written(root)
    assert values["kubernetes"] == {
        "context": "prod",
        "clusterIdentifier": "prod",
        "api": {"ports": [16443]},
    }
    network = values["network"]
    assert network["addresses"] == {"all": "11.0.0.7"}
    assert network["egress"]["nodes"] == {"vps1": ["11.0.0.7"]}
    assert (network["podCidr"], network["serviceCidr"]) == ("10.244.0.0/16", "10.96.0.0/12")
    assert (network["cni"], network["dns"]) == ("cilium", {"ports": [8053]})
    assert values["tls"]["name"] == "le-prod"


POOLED: dict[str, Any] = {
    "nodes": ("n1",),
    "external": {"n1": "11.0.0.7"},
    "pools": ("10.20.0.0/24", "2001:db8::/64"),
}


def test_no_address_is_offered_that_metallb_could_not_announce() -> None:
    (asked,) = (each for each in questions.ALL if each.key == "addresses")
    world = look.World(**POOLED)
    assert asked.default({"mode": "cluster"}, world) is None
    assert asked.default({"mode": "single-node", "load_balancer": "metallb"}, world) is None
    assert asked.default({"mode": "single-node", "load_balancer": "hostPort"}, world) == "11.0.0.7"


def test_without_a_terminal_addresses_for_metallb_are_asked_for(
    monkeypatch: pytest.MonkeyPatch, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(cluster, "look", lambda _: cluster.Seen(**POOLED))
    assert main(["new", "--domain", "kolabtest.eu", "--context", "prod"]) == 1
    assert "give --addresses ADDRESSES" in capsys.readouterr().err
    assert list((root / "stacks").iterdir()) == []


def test_what_metallbs_pools_mean_for_the_addresses_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with api_server(answered(read("k3s-made-ready")["seen"]), tmp_path, monkeypatch, context="prod"):
        seen = cluster.look("prod")
    (said,) = (line for line in seen.lines() if "pools: public 192.0.2." in line)
    assert "a stack makes a pool of its own, of addresses that no other pool holds" in said


def test_a_cluster_that_does_not_answer_holds_nothing_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kubeconfig = {
        "current-context": "x",
        "contexts": [{"name": "x", "context": {"cluster": "x", "user": "x"}}],
        "clusters": [{"name": "x", "cluster": {"server": "https://127.0.0.1:1"}}],
        "users": [{"name": "x", "user": {}}],
    }
    (tmp_path / "kubeconfig").write_text(yaml.safe_dump(kubeconfig))
    from kubernetes import config  # noqa: PLC0415

    load = functools.partial(config.new_client_from_config, config_file=str(tmp_path / "kubeconfig"))
    monkeypatch.setattr(config, "new_client_from_config", load)
    assert list(cluster.look("x").lines()) == [
        "could not look up the cluster, which does not answer or tells this user nothing; answer what you know"
    ]


# Refusals: one sentence, and nothing is written.


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ((), "give --domain DOMAIN, --addresses ADDRESSES"),
        ((*VPS, "--context", "prd"), "--context names no context of the kubeconfig; there are home, prod"),
        ((*VPS, "--mode", "both"), "--mode must be one of single-node, cluster"),
        ((*VPS, "--egress", "server1=10.0.0.5"), "icanhazip"),
        ((*VPS, "--egress", "server1"), "--egress is written like server1=203.0.113.10"),
        ((*VPS, "--tls", "letsencrypt"), "--tls is existing=<ClusterIssuer>"),
        ((*VPS, "--zone-id", "x"), "--zone-id has no meaning here: only Cloudflare has zone ids"),
        ((*VPS, "--tls", "acme=jane@kolabtest.eu"), "Cloudflare"),
        ((*VPS, "--mailboxes", "many"), "kolab:storage.mailboxes.size"),
        ((*VPS, "--postmaster", "x: {y"), "kolab:mail.postmaster"),
        ((*NAT, "--public", "web=11.0.0.1"), "--public names web"),
        (("--domain", "kolabtest.eu", "--addresses", "a=11.0.0.1"), "takes one address in single-node mode"),
    ],
)
def test_an_answer_that_cannot_work_is_refused(
    options: tuple[str, ...], words: str, root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["new", "mine", *options]) == 1
    assert words in capsys.readouterr().err
    assert list((root / "stacks").iterdir()) == []


@pytest.mark.parametrize("name", ["local", "../x", "a b", ""])
def test_a_name_that_cannot_be_one_is_refused(name: str, root: Path) -> None:
    assert main(["new", name, *VPS]) == 1
    assert list((root / "stacks").iterdir()) == []


def test_a_stack_file_that_is_there_is_kept(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    path = root / "stacks" / "Pulumi.mine.yaml"
    path.write_text("mine")
    assert main(["new", *VPS]) == 1
    assert "exists already and is kept" in capsys.readouterr().err
    assert path.read_text() == "mine"


# At a terminal


def typing(lines: Iterable[str]) -> Callable[[str], str]:
    """A person who types these lines, and then Ctrl-D."""
    left = iter(lines)

    def read(_: str) -> str:
        try:
            return next(left)
        except StopIteration:
            raise EOFError from None

    return read


def test_a_wrong_answer_is_asked_again_and_enter_takes_the_default(
    capsys: pytest.CaptureFixture[str],
) -> None:
    asker = Asker({}, interactive=True, read=typing(["", "not a name", "kolabtest.eu", "prd", "", "cluster"]))
    domain, context, mode = questions.ALL[:3]
    world = look.World()
    found = {"domain": asker.ask(domain, {}, world)}
    found["context"] = asker.ask(context, found, world)
    found["mode"] = asker.ask(mode, found, world)
    assert found == {"domain": "kolabtest.eu", "context": "", "mode": "cluster"}
    said = capsys.readouterr().err
    assert "there is no default for this one" in said
    assert all(question.about in said for question in (domain, context, mode))


def test_answers_that_end_early_write_nothing(root: Path) -> None:
    asker = Asker({}, interactive=True, read=typing(["kolabtest.eu"]))
    with pytest.raises(StackProblem, match="ended before the questions did"):
        new.asked(asker, look.World())
    assert list((root / "stacks").iterdir()) == []


# Backend and passphrase


def test_a_passphrase_is_made_once_for_its_owners_eyes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("PULUMI_CONFIG_PASSPHRASE", "PULUMI_CONFIG_PASSPHRASE_FILE"):
        monkeypatch.delenv(name, raising=False)
    begin.passphrase({"backend": "https://api.pulumi.com"}, interactive=False)
    kept = tmp_path / ".kolab" / "passphrase"
    assert not kept.exists()
    begin.passphrase({"backend": "file://~"}, interactive=False)
    made = kept.read_text()
    assert (len(made) >= 32, kept.stat().st_mode & 0o777) == (True, 0o600)
    said = capsys.readouterr().err
    assert "two places outside of this machine" in said
    assert made not in said
    begin.passphrase({"backend": "file://~"}, interactive=False)
    assert kept.read_text() == made


def test_a_backend_of_the_shell_is_not_overruled(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.undo()
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://states")
    begin.backend({"backend": "s3://states"})
    with pytest.raises(StackProblem, match="PULUMI_BACKEND_URL names another backend"):
        begin.backend({"backend": "file://~"})


# What other commands take from here


def test_a_mistyped_context_of_a_stack_is_met_with_those_that_there_are() -> None:
    look.refuse_unknown_context("prod")
    look.refuse_unknown_context(None)
    with pytest.raises(
        StackProblem, match="is prd, which the kubeconfig does not have; its contexts: home, prod"
    ):
        look.refuse_unknown_context("prd")


def test_without_a_kubeconfig_the_engine_says_what_it_misses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cluster, "contexts", list)
    look.refuse_unknown_context("prod")
