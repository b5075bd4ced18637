"""No page and no message names a command, file, link, rule, setting, target or object that does not exist."""

from __future__ import annotations

import re
from fnmatch import fnmatch
from pathlib import PurePosixPath

import pytest

from model import topology
from model.ingress import CONTROLLERS
from ops.doctor.checks import CHECKS
from tests.engine.program import CHECKOUT
from tests.replay import mentions
from tests.replay.mentions import Said
from tests.support.document import document

_FOLDERS = "docs|model|ops|components|tests|toolchain|stacks|policy"
_MADE = ("rendered/", ".local/", "reports/", "stacks/Pulumi.")
"""Paths that commands make."""
_WORDS = {
    "local-path",
    "kube-proxy",
    "kube-system",
    "single-node",
    "cert-manager",
    "out-of-service",
    "next-cluster",
    *CONTROLLERS,
}
"""Names of the world that look like ids of rules."""


def _everything() -> tuple[Said, ...]:
    return (*mentions.codes(), *mentions.messages())


def test_every_command_is_one_that_the_parser_takes() -> None:
    faults = []
    for said in _everything():
        for found in re.finditer(r"\./kolab\b[^`\n]*", said.text):
            fault = mentions.fault_of_command(found[0], exact=said.exact and found.start() == 0)
            faults += [f"{said.where}: {found[0]}: {fault}"] if fault else []
    assert not faults, "\n".join(faults)


def test_no_command_is_named_that_is_on_nobodys_path() -> None:
    commands = "up|preview|destroy|stack|config|refresh|cancel|import|state|login|logout|convert|plugin"
    bare = re.compile(rf"(?<!kolab )(?<![\w./-])pulumi ({commands})\b|python3? -m ops\b")
    # A service of its own, and the plugin's words.
    own = ("toolchain/", "tests/")
    found = [
        f"{said.where}: {said.text[:200]}"
        for said in _everything()
        if bare.search(said.text) and not said.where.startswith(own)
    ]
    assert not found, "\n".join(found)


@pytest.mark.parametrize("page", mentions.pages())
def test_every_link_leads_somewhere(page: str) -> None:
    faults = []
    for line, target in document((CHECKOUT / page).read_text()).links:
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        path = (CHECKOUT / page).parent / name if name else CHECKOUT / page
        if not path.exists():
            faults.append(f"{page}:{line}: {target}: no such file")
        elif anchor and anchor not in document(path.read_text()).anchors:
            faults.append(f"{page}:{line}: {target}: no such heading")
    assert not faults, "\n".join(faults)


def test_the_index_leads_to_every_page() -> None:
    linked = {
        str((CHECKOUT / "docs" / target).resolve().relative_to(CHECKOUT))
        for _, target in document((CHECKOUT / "docs" / "README.md").read_text()).links
        if not re.match(r"[a-z]+:", target)
    }
    pages = {name for name in mentions.pages() if re.fullmatch(r"docs/(?!adr/|README).*", name)}
    assert not pages - linked


def test_decisions_are_numbered_one_after_the_other() -> None:
    pages = sorted((CHECKOUT / "docs" / "adr").glob("*.md"))
    numbers = [int(page.name.partition("-")[0]) for page in pages]
    assert numbers == [*range(1, len(pages) + 1)]
    assert [page.read_text().partition(".")[0] for page in pages] == [f"# {number}" for number in numbers]


def test_every_setting_exists() -> None:
    top = "|".join(sorted(mentions.sections()))
    named = re.compile(r"\bkolab:([a-zA-Z<][\w<>*…-]*(?:\.[\w<>*…-]*[\w>*…]|\[[\w<>]*\])*)(?!\w*:)")
    bare = re.compile(rf"((?:{top})(?:\.[a-zA-Z<>*…]+)+)(?:[: ].*)?")
    found = [(said, path) for said in _everything() for path in named.findall(said.text)]
    found += [(said, whole[1]) for said in mentions.codes() if (whole := bare.fullmatch(said.text))]
    faults = [f"{said.where}: {path}" for said, path in found if not _is_setting(path)]
    assert not faults, "\n".join(faults)


def _is_setting(path: str) -> bool:
    files = (".md", ".py", ".yaml", ".json")
    return path.startswith(("<", "…")) or path.endswith(files) or mentions.is_setting(path)


def test_every_rule_exists() -> None:
    named = re.compile(r"(?:\brule: |acknowledge(?:ment|d)?(?: of)? \(?`?)([a-z0-9]+(?:-[a-z0-9]+)+)")
    faults = []
    for page in mentions.pages():
        text = (CHECKOUT / page).read_text()
        faults += [f"{page}: {rule}" for rule in named.findall(text) if rule not in mentions.rules()]
    known = mentions.rules() | _WORDS | _objects() | {check.id for check in CHECKS}
    for said in mentions.codes():
        id_like = re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", said.text) and said.where.startswith(
            ("docs/how-to", "README")
        )
        faults += [f"{said.where}: {said.text}"] if id_like and said.text not in known else []
    for said in mentions.messages():
        found = re.findall(r"\brule: ([a-z0-9]+(?:-[a-z0-9]+)+)", said.text)
        faults += [f"{said.where}: {rule}" for rule in found if rule not in mentions.rules()]
    assert not faults, "\n".join(faults)


def test_every_make_target_exists() -> None:
    pasted = re.compile(r"(?:^|`|&& )make ((?:[a-z][a-z-]*)(?: [a-z][a-z-]*)*)")
    spoken = re.compile(r"`make ([a-z-]+)|\bmake ([a-z-]+) STACK=")
    found = [
        (said, name)
        for said in mentions.codes()
        for many in pasted.findall(said.text)
        for name in many.split()
    ]
    found += [(said, one or two) for said in mentions.messages() for one, two in spoken.findall(said.text)]
    faults = [f"{said.where}: make {name}" for said, name in found if name not in mentions.targets()]
    assert not faults, "\n".join(faults)


def test_every_file_exists() -> None:
    tracked = mentions.tracked()
    folders = {str(parent) for name in tracked for parent in PurePosixPath(name).parents}
    names = {PurePosixPath(name).name for name in tracked}
    faults = []
    for said in mentions.codes():
        # README files of other folders speak of their own.
        base = (
            ""
            if said.where.startswith(("docs/", "README", "CONTRIBUTING"))
            else said.where.rpartition("/")[0]
        )
        if re.fullmatch(r"[\w-]+\.(py|md|sh)", said.text) and said.text not in names:
            faults.append(f"{said.where}: {said.text}")
        elif re.fullmatch(rf"({_FOLDERS})/[\w./*<>…-]*", said.text) and not base:
            faults += [] if _exists(said.text, tracked, folders) else [f"{said.where}: {said.text}"]
    for said in mentions.messages():
        for path in re.findall(rf"(?<![\w/])((?:{_FOLDERS})/[\w./*<>-]*\w)", said.text):
            faults += [] if _exists(path, tracked, folders) else [f"{said.where}: {path}"]
    assert not faults, "\n".join(faults)


def _exists(path: str, tracked: tuple[str, ...], folders: set[str]) -> bool:
    plain = path.rstrip("/")
    pattern = re.sub(r"<[^>]*>|…", "*", plain)
    return (
        path.startswith(_MADE)
        or plain in folders
        or any(fnmatch(name, pattern) or fnmatch(name, f"{pattern}.py") for name in tracked)
    )


def test_every_test_exists_that_a_page_names() -> None:
    sources = "\n".join(
        (CHECKOUT / n).read_text() for n in mentions.tracked() if n.startswith("tests/") and n.endswith(".py")
    )
    known = set(re.findall(r"def (test_\w+)", sources))
    faults = [
        f"{s.where}: {s.text}"
        for s in mentions.codes()
        if re.fullmatch(r"test_\w+", s.text) and s.text not in known
    ]
    assert not faults, "\n".join(faults)


def test_every_pod_and_container_exists_that_kubectl_is_sent_to() -> None:
    faults = []
    for said in _everything():
        for found in re.finditer(r"kubectl (?:[^`\n]*)", said.text):
            faults += [f"{said.where}: {found[0]}"] if not _is_known(found[0]) else []
    assert not faults, "\n".join(faults)


def _objects() -> set[str]:
    return {name for each in mentions.workloads() for name in (each.name, f"{each.name}-0", f"{each.name}-1")}


def _is_known(command: str) -> bool:
    if " -n kube-system " in command:
        # The cluster's own.
        return True
    # Not every stack has each of them.
    daemons = {each.name for each in vars(topology).values() if isinstance(each, topology.Daemon)}
    label = re.search(r"-l app\.kubernetes\.io/name=(\S+)", command)
    if label and label[1] not in daemons and "<" not in label[1]:
        return False
    sent = re.search(
        r"\b(?:exec|logs|cp|rollout restart)\b(?: -\w+(?: kolab)?)* (?:(deploy|sts|deployment|statefulset)/)?([a-z][\w-]*)(.*)",
        command,
    )
    if not sent:
        return True
    kinds = {
        "deploy": "Deployment",
        "deployment": "Deployment",
        "sts": "StatefulSet",
        "statefulset": "StatefulSet",
    }
    container = re.search(r"-c (\S+)", sent[3])
    return any(
        (
            sent[2] == each.name and kinds.get(sent[1] or "", each.kind) == each.kind
            if sent[1]
            else re.fullmatch(rf"{re.escape(each.name)}-\d+", sent[2])
        )
        and (not container or container[1] in each.containers)
        for each in mentions.workloads()
    )


@pytest.mark.parametrize(
    ("command", "exact"),
    [
        ("./kolab dikm stage --stack mine", False),
        ("./kolab dkim stagger k1", False),
        ("./kolab dns export --stak mine", False),
        ("./kolab dns --stack mine", True),
        ("./kolab render --stack mine please", True),
    ],
)
def test_a_command_that_the_parser_refuses_is_noticed(command: str, exact: bool) -> None:
    assert mentions.fault_of_command(command, exact=exact)


@pytest.mark.parametrize("path", ["mail.mx.stag", "mails", "network.egress.node", "replicas.imaps"])
def test_a_setting_that_is_misspelt_is_noticed(path: str) -> None:
    assert not mentions.is_setting(path)


@pytest.mark.parametrize(
    "command",
    [
        "kubectl exec postfix-0 -c exim -- true",
        "kubectl logs deploy/imap",
        "kubectl get pods -l app.kubernetes.io/name=exim",
    ],
)
def test_a_pod_that_is_not_there_is_noticed(command: str) -> None:
    assert not _is_known(command)


def test_the_map_of_the_identity_model_names_every_module() -> None:
    named = {said.text for said in mentions.codes() if said.where.startswith("docs/architecture.md")}
    there = {
        PurePosixPath(name).name
        for name in mentions.tracked()
        if re.fullmatch(r"model/identity/\w+\.py", name)
    }
    missing = there - {"__init__.py", "snapshot.py"} - {PurePosixPath(name).name for name in named}
    assert not missing
