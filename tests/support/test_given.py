"""A cluster of the user's: refused before it is touched, and its names found by the client alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from importlib import import_module
from inspect import getmembers, getsource, isfunction
from pathlib import Path
from typing import Any

import pytest
import yaml

from model import identity
from model.names import Names
from model.rules import check
from model.settings import Settings
from tests.acceptance import given
from tests.acceptance.__main__ import run
from tests.acceptance.client.__main__ import _MODULES
from tests.acceptance.configs import for_given
from tests.acceptance.given import ADDRESS, KUBECONFIG, PODS, Facts, Given, Internet, Refused
from tests.acceptance.stack import Stack
from tests.engine.program import CHECKOUT, Program
from tests.lab.errors import LabError

_ADDRESS = "192.0.2.10"
_FACTS = Facts("k3s", "server1", _ADDRESS, "10.42.0.0/24", "10.43.0.0/16", "latest")


class Cluster(Given):
    """Answers `get KIND NAME` from what it has, and notes every command that is no question."""

    def __init__(self, kubeconfig: Path) -> None:
        super().__init__(kubeconfig, _ADDRESS, "lab")
        self.has = {
            ("crd", "ipaddresspools.metallb.io"),
            ("crd", "certificates.cert-manager.io"),
            ("namespace", "metallb-system"),
            ("servicecidr", "kubernetes"),
        }
        self.machines: list[dict[str, Any]] = [_node("n1", "10.42.0.0/24")]
        self.pool = ["192.0.2.100-192.0.2.120"]
        self.done: list[tuple[str, ...]] = []

    def kubectl(self, *arguments: str, text: str | None = None, seconds: float = 120) -> str:  # noqa: PLR0911
        match arguments:
            case ("get", "-o", "json", "nodes"):
                return json.dumps({"items": self.machines})
            case ("get", "-o", "json", "ipaddresspools.metallb.io", "-A"):
                return json.dumps(
                    {"items": [{"metadata": {"name": "home"}, "spec": {"addresses": self.pool}}]}
                )
            case ("get", "-o", "json", "servicecidr", *_):
                return json.dumps({"spec": {"cidrs": ["fd00::/112", "10.96.0.0/12"]}})
            case ("get", "-o", "json", "service", *_):
                return json.dumps({"spec": {"clusterIP": "10.43.0.1"}})
            case ("get", kind, name, *_):
                return f"{kind}/{name}" if (kind, name) in self.has else ""
            case ("config", _):
                return "k3s\n"
            case ("version", *_):
                return ""
        self.done.append(arguments)
        return ""


def _node(name: str, pods: str | None, *effects: str) -> dict[str, Any]:
    taints = [{"key": "a", "effect": effect} for effect in effects]
    return {"metadata": {"name": name}, "spec": {"podCIDR": pods, "taints": taints}}


@pytest.fixture
def cluster(tmp_path: Path) -> Cluster:
    return Cluster(tmp_path / "kubeconfig")


def test_without_a_kubeconfig_it_is_the_lab() -> None:
    assert Given.of({"KUBECONFIG": "/somebody's", "ADDRESS": _ADDRESS}) is None


@pytest.mark.parametrize(
    ("address", "says"),
    [("", "ADDRESS is missing"), ("mail.example.org", "no IPv4 address"), ("2001:db8::1", "no IPv4 address")],
)
def test_a_wrong_address_is_refused(tmp_path: Path, address: str, says: str) -> None:
    path = tmp_path / "kubeconfig"
    path.touch()
    with pytest.raises(Refused, match=says):
        Given.of({KUBECONFIG: str(path), ADDRESS: address})


def test_a_kubeconfig_that_is_no_file_is_refused(tmp_path: Path) -> None:
    with pytest.raises(Refused, match="is no file"):
        Given.of({KUBECONFIG: str(tmp_path), ADDRESS: _ADDRESS})


def test_a_wrong_network_of_pods_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "kubeconfig"
    path.touch()
    with pytest.raises(Refused, match="PODS=everywhere is no IPv4 network"):
        Given.of({KUBECONFIG: str(path), ADDRESS: _ADDRESS, PODS: "everywhere"})


def test_an_address_without_a_kubeconfig_is_refused_and_does_not_start_the_lab() -> None:
    with pytest.raises(Refused, match="give KUBECONFIG"):
        Given.of({ADDRESS: _ADDRESS})


def test_a_cluster_that_does_not_answer_is_refused(cluster: Cluster, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: str, **__: object) -> str:
        raise LabError("connection refused")

    monkeypatch.setattr(cluster, "kubectl", fail)
    with pytest.raises(Refused, match="does not answer"):
        cluster.check()


@pytest.mark.parametrize(
    "missing",
    [
        ("crd", "ipaddresspools.metallb.io"),
        ("crd", "certificates.cert-manager.io"),
        ("namespace", "metallb-system"),
    ],
)
def test_a_cluster_without_its_operators_is_refused(cluster: Cluster, missing: tuple[str, str]) -> None:
    cluster.has.remove(missing)
    with pytest.raises(Refused, match=r"MetalLB|cert-manager"):
        cluster.check()


@pytest.mark.parametrize("ours", given._OURS)
def test_whoever_has_a_stack_is_refused(cluster: Cluster, ours: tuple[str, str]) -> None:
    cluster.has.add(ours)
    with pytest.raises(Refused, match=f"{ours[1]} already"):
        cluster.check()


@pytest.mark.parametrize("entry", ["192.0.2.10/32", "192.0.2.0/24", "192.0.2.1-192.0.2.10"])
def test_an_address_of_somebody_elses_pool_is_refused(cluster: Cluster, entry: str) -> None:
    cluster.pool.append(entry)
    with pytest.raises(Refused, match="pool home has"):
        cluster.check()


def test_looking_at_a_cluster_changes_nothing(cluster: Cluster) -> None:
    assert cluster.check() == Facts("k3s", "n1", _ADDRESS, "10.42.0.0/24", "10.96.0.0/12", "lab")
    assert cluster.done == []


def test_a_node_that_takes_no_pods_is_not_chosen_and_its_pods_count(cluster: Cluster) -> None:
    cluster.machines = [_node("n0", "10.42.0.0/24", "NoSchedule"), _node("n1", "10.42.1.0/24")]
    facts = cluster.facts()
    assert (facts.node, facts.pods) == ("n1", "10.42.0.0/23")


def test_an_older_cluster_has_services_in_a_16(cluster: Cluster) -> None:
    cluster.has.remove(("servicecidr", "kubernetes"))
    assert cluster.facts().services == "10.43.0.0/16"


def test_a_node_without_a_network_of_pods_is_refused(cluster: Cluster) -> None:
    cluster.machines = [_node("n1", None)]
    with pytest.raises(Refused, match="podCIDR"):
        cluster.facts()


def test_whoever_knows_better_says_where_pods_are(cluster: Cluster) -> None:
    cluster.machines = [_node("n1", None)]
    cluster.pods = "10.244.0.0/16"
    assert cluster.facts().pods == "10.244.0.0/16"


def test_the_stack_file_of_a_cluster_breaks_no_rule() -> None:
    found = check(Settings.model_validate(for_given(_FACTS)))
    # The DKIM key comes when the stack is made.
    assert {each.rule for each in found if each.severity == "error"} <= {"dkim-not-a-key"}


def test_a_stack_is_removed_without_the_pools_of_others(cluster: Cluster, tmp_path: Path) -> None:
    Stack(cluster, Program(tmp_path, "single-node")).remove()
    pools = [each for each in cluster.done if "ipaddresspools,l2advertisements" in each]
    assert [each[-1] for each in pools] == ["kolab"]
    assert not [each for each in cluster.done if "--all" in each]


def test_what_a_stack_makes_outside_of_namespaces_is_removed_with_it(
    cluster: Cluster, tmp_path: Path
) -> None:
    Stack(cluster, Program(tmp_path, "single-node")).remove()
    removed = {
        (kind, name)
        for verb, _, kinds, *names in cluster.done
        if verb == "delete"
        for kind in kinds.split(",")
        for name in names
    }
    golden = CHECKOUT / "tests" / "program" / "golden" / "single-node"
    objects = [each for path in golden.glob("*.yaml") for each in yaml.safe_load_all(path.read_text())]
    outside = {
        (each["kind"].lower(), each["metadata"]["name"])
        for each in objects
        if each and "namespace" not in each["metadata"]
    }
    assert {kind for kind, _ in outside} >= {"namespace", "clusterrole", "priorityclass"}
    assert outside <= removed


def test_the_stand_in_plugin_is_not_let_loose_on_a_cluster_of_somebody(
    cluster: Cluster, tmp_path: Path
) -> None:
    assert Stack(cluster, Program(tmp_path, "single-node")).environment == {
        "KUBECONFIG": str(cluster.kubeconfig)
    }


def test_whatever_tests_ask_of_the_lab_is_there_or_skips_them(cluster: Cluster) -> None:
    sources = "".join(path.read_text() for path in (CHECKOUT / "tests" / "acceptance").glob("*.py"))
    of_lab = set(re.findall(r"(?:stack|self)\.lab\.(\w+)", sources))
    of_internet = set(re.findall(r"lab\.internet\.(\w+)", sources))
    assert {"apiserver", "kubectl", "start"} <= of_lab | of_internet
    skipped = _skipped(cluster, of_lab) | _skipped(cluster.internet, of_internet)
    assert skipped >= {"node", "nodes", "apiserver", "wait_policies", "settings", "start", "also"}
    assert _skipped(cluster.internet.dns, {"address", "load", "vouch"}) == {"address", "vouch"}


def _skipped(place: object, names: set[str]) -> set[str]:
    """Those that skip a test; all others have to be there."""
    found = set()
    for name in names:
        try:
            getattr(place, name)
        except pytest.skip.Exception:
            found.add(name)
    return found


def test_commands_that_ask_dns_are_known() -> None:
    modules = [import_module(f"tests.acceptance.client.{name}") for name in _MODULES]
    asking = {
        name
        for module in modules
        for name, function in getmembers(module, isfunction)
        if "dns.resolver" in getsource(function) and not name.startswith("_")
    }
    assert asking <= set(given._ASK_DNS)
    with pytest.raises(pytest.skip.Exception, match="sign_in"):
        Internet("127.0.0.1").run(["sign_in"])


def test_the_client_finds_every_name_of_the_stack_where_its_zones_say() -> None:
    settings = Settings.model_validate(for_given(_FACTS))
    internet = Internet("127.0.0.1")
    internet.dns.load({z: identity.zone_file(settings, z, r) for z, r in identity.zones(settings).items()})
    names = Names.of(settings)
    for name in (names.mx, names.imap, names.smtp, names.website, names.sieve, names.turn):
        assert internet.resolve(name) == [_ADDRESS]
        assert internet.dns.hosts()[name] == _ADDRESS
    assert internet.resolve("example.net", "MX")[0].split()[1] == f"{names.mx}."


def test_a_program_finds_the_names_and_this_machine_does_not() -> None:
    line = given.command_line("/dev/null", ["true"])
    if subprocess.run(line, capture_output=True, check=False).returncode:
        pytest.skip("this machine lets nobody mount anything of their own")
    internet = Internet("127.0.0.1")
    internet.dns.load({"example.org": f"$TTL 60\nmail IN A {_ADDRESS}\n"})
    before = Path("/etc/hosts").read_bytes()
    assert internet.run(["getent", "ahostsv4", "mail.example.org"]).split()[0] == _ADDRESS
    assert Path("/etc/hosts").read_bytes() == before


@pytest.mark.parametrize(
    ("arguments", "shell", "handed"),
    [
        ([], {"KUBECONFIG": "/somebody's", "ADDRESS": "192.0.2.1"}, ("", "")),
        (["KUBECONFIG=/mine", f"ADDRESS={_ADDRESS}"], {}, ("/mine", _ADDRESS)),
    ],
)
def test_only_makes_own_command_line_chooses_a_cluster(
    arguments: list[str], shell: dict[str, str], handed: tuple[str, str]
) -> None:
    done = subprocess.run(
        ["make", "-n", "acceptance", *arguments],
        cwd=CHECKOUT,
        env={**os.environ, **shell},
        capture_output=True,
        text=True,
        check=True,
    )
    path, address = handed
    assert f"{KUBECONFIG}='{path}'" in done.stdout
    assert f"{ADDRESS}='{address}'" in done.stdout


def test_an_interrupt_reaches_pytest_itself_which_removes_the_stack(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Somebody who waited for it would end it a quarter of a second after Ctrl-C, and leave the stack there."""
    replaced: list[list[str]] = []

    def execv(program: str, line: list[str]) -> None:
        replaced.append([program, *line])
        raise SystemExit

    monkeypatch.setattr(os, "execv", execv)
    monkeypatch.setenv(KUBECONFIG, str(tmp_path / "kubeconfig"))
    with pytest.raises(SystemExit):
        run(["-k", "nothing"])
    assert replaced == [
        [sys.executable, sys.executable, "-m", "pytest", "-p", "no:cacheprovider", "-k", "nothing"]
    ]
