"""Lines of an operator's own do what they say, hurt nobody else, and leave nothing when they go (docs/how-to/extend-a-daemon.md)."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from ops.report import compare
from ops.reporting import markdown
from ops.stacks import StackFile
from tests.acceptance import effects
from tests.acceptance.own_lines import BANNER, DENIED, HARMLESS, LOOKS, seen
from tests.acceptance.report import Report
from tests.acceptance.stack import Stack
from tests.acceptance.watching import identities, refusals
from tests.engine.program import Run
from tests.lab.cluster import Lab

pytestmark = [
    # Two updates of whatever people talk to: too long for what runs before every change.
    pytest.mark.long,
    pytest.mark.mode("single-node"),
    pytest.mark.proves("postfix", "amavis", "imap", "proxy", "roundcube"),
    pytest.mark.usefixtures("stranger"),
]

_DANGEROUS: Mapping[str, dict[str, Any]] = {
    "extra-open-relay": {"postfix": {"mynetworks": "0.0.0.0/0"}},
    "extra-delivery": {"postfix": {"always_bcc": "spy@sender.test"}},
    "extra-own": {"postfix": {"message_size_limit": 1}},
    "extra-unknown": {"imap": {"some_new_option": "yes"}},
    "extra-plaintext": {"imap": {"sasl_pwcheck_method": "alwaystrue"}},
    "extra-data": {"imap": {"partition_default": "/tmp"}},
    "extra-code": {"spamassassin": ["loadplugin Mail::SpamAssassin::Plugin::X"]},
    "extra-client-address": {"website": ["set_real_ip_from 0.0.0.0/0"]},
    "extra-closed": {"website": ["allow all"]},
    "extra-twice": {"website": ["gzip on", "gzip off"]},
    "extra-secret": {"environment": {"webapp": {"STRIPE_SECRET": "x"}}},
    "extra-daemon": {"annotations": {"amavis": {"prometheus.io/scrape": "true"}}},
}
"""Rule -> what it refuses."""
_MISREAD: Mapping[str, tuple[dict[str, Any], str]] = {
    "postfix": (
        {"spamassassin": ["body LOCAL_LOAN /cheap(loan/"]},
        "SpamAssassin does not take a line of kolab:extra.spamassassin",
    ),
    "imap": (
        {"imap": {"search_batchsize": "20d"}},
        "Cyrus does not take kolab:extra.imap: non-integer value for search_batchsize",
    ),
    "proxy": (
        {"website": ["gzip_comp_level 99"]},
        "nginx does not take 'gzip_comp_level 99' of kolab:extra.website",
    ),
}
"""Daemon -> lines that it cannot read, though they are harmless or acknowledged, and what it says."""


def _running(stack: Stack) -> dict[str, set[str]]:
    """Daemon -> its pods, each another once it has been replaced."""
    daemons = {pod["metadata"]["labels"]["app.kubernetes.io/name"] for pod in stack.pods()}
    return {daemon: identities(stack, daemon) for daemon in daemons}


@dataclass(frozen=True)
class Lines:
    """What was seen before the lines came, and what is seen with them."""

    config: dict[str, Any]
    """The stack file of before."""
    before: dict[str, Any]
    now: dict[str, Any]
    replaced: set[str]
    """Daemons whose pods are others."""
    reviewed: str
    """What a reviewer of the change reads."""


@pytest.fixture(scope="module")
def lines(
    stack: Stack, own_lab: Lab, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Lines]:
    """A line of each kind, and one that is acknowledged. At the end the stack file is as before."""
    del own_lab
    config, file = stack.program.config(), StackFile.read(stack.mode, stack.program.root)
    before, running = seen(stack), _running(stack)
    banner = {"smtpd_banner": f"{stack.names.helo} ESMTP {BANNER}"}
    entry = {
        "rule": "extra-unknown",
        "subject": "kolab:extra.postfix.smtpd_banner",
        "reason": "a greeting without the software's name",
    }
    extra = {**HARMLESS, "postfix": HARMLESS["postfix"] | banner}
    stack.program.change({"extra": extra, "acknowledge": [*config.get("kolab:acknowledge", ()), entry]})
    try:
        reviewed = _reviewed(stack, file, tmp_path_factory.mktemp("review") / "preview.json")
        with report.timed("an update that brings lines of an operator's own to six daemons"):
            stack.apply()
        after = _running(stack)
        replaced = {name for name, pods in running.items() if pods.isdisjoint(after[name])}
        yield Lines(config, before, seen(stack), replaced, reviewed)
    finally:
        if stack.program.config() != config:
            stack.program.write(config)
            stack.apply()


def _reviewed(stack: Stack, before: StackFile, path: Path) -> str:
    """The comment on the pull request, from the engine's preview."""
    preview = ("preview", "--json", "--stack", stack.program.stack)
    path.write_text(stack.program.must(*preview, env=stack.environment))
    after = StackFile.read(stack.mode, stack.program.root)
    return markdown.page([compare(before, after, planned=path)])


def test_a_reviewer_reads_each_line_that_comes_and_which_is_only_acknowledged(lines: Lines) -> None:
    assert "15 lines of your own added; what one of them does is acknowledged, not known" in lines.reviewed
    for line in (
        "postfix.smtpd_hard_error_limit: 5",
        "imap.sieve_maxscriptsize: 1",
        "roundcube.product_name: Mail of Example",
        "spamassassin: score LOCAL_LOAN 2.5",
        f"website: deny {DENIED}",
        "environment.imap.LC_ALL: C.UTF-8",
        "annotations.imap.backup.velero.io/backup-volumes: mailboxes,state",
    ):
        assert f"+ {line}" in lines.reviewed


def test_only_daemons_with_lines_of_their_own_are_replaced(lines: Lines) -> None:
    assert lines.replaced == {"postfix", "imap", "proxy", "roundcube", "webapp"}


def test_postfix_hangs_up_after_as_many_mistakes_as_its_line_says(lines: Lines) -> None:
    assert lines.before["mistakes"] > 5
    assert lines.now["mistakes"] == 5


def test_postfix_counts_messages_as_its_line_says(lines: Lines) -> None:
    assert (lines.before["queue id"], lines.now["queue id"]) == (False, True)


def test_a_line_that_is_acknowledged_holds_as_well(lines: Lines) -> None:
    assert (lines.before["banner"], lines.now["banner"]) == (False, True)


def test_cyrus_takes_no_filter_that_is_larger_than_its_line_says(lines: Lines) -> None:
    assert (lines.before["filter"], lines.now["filter"]) == ("OK", "NO")


def test_cyrus_ends_a_session_whose_words_are_longer_than_its_line_says(lines: Lines) -> None:
    assert lines.before["search"] == ""
    assert "too long" in lines.now["search"]


def test_the_webmail_is_called_as_its_line_says(lines: Lines) -> None:
    assert "Mail of Example" not in lines.before["title"]
    assert "Mail of Example" in lines.now["title"]


def test_spamassassin_scores_by_a_rule_of_ones_own(lines: Lines) -> None:
    assert (lines.before["loan"], lines.now["loan"]) == ("", "2.5")


def test_the_website_answers_with_the_headers_that_its_lines_say(lines: Lines) -> None:
    assert lines.before["headers"] == set()
    assert lines.now["headers"] == {"X-Robots-Tag: noindex, nofollow", "Keep-Alive: timeout=7"}


def test_the_website_turns_away_whom_its_line_names_and_nobody_else(lines: Lines) -> None:
    assert (lines.before["statuses"], lines.now["statuses"]) == (("200", "200"), ("403", "200"))


def test_variables_are_in_the_daemon_that_is_named_and_in_no_other(lines: Lines) -> None:
    assert lines.now["variables"] == {
        "imap": {*lines.before["variables"]["imap"], "LC_ALL=C.UTF-8"},
        "webapp": {*lines.before["variables"]["webapp"], "LANG=C.UTF-8"},
        "horizon": lines.before["variables"]["horizon"],
    }


def test_annotations_are_on_the_pods_of_the_daemon_and_name_volumes_that_these_have(
    stack: Stack, lines: Lines
) -> None:
    assert lines.before["annotated"] == {}
    assert lines.now["annotated"] == {"imap": "mailboxes,state"}
    (pod,) = stack.pods("imap")
    assert {"mailboxes", "state"} <= {volume["name"] for volume in pod["spec"]["volumes"]}


@pytest.mark.usefixtures("lines")
@pytest.mark.parametrize("effect", ["mail", "relaying", "passwords"])
def test_mail_flows_and_the_doors_are_as_closed_as_before(stack: Stack, effect: str) -> None:
    effects.EFFECTS[effect](stack)


@dataclass(frozen=True)
class Refused:
    """What came of an update that was refused."""

    run: Run
    same: bool
    """Whether each pod is the one of before."""


def _together(parts: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    """All lines in one stack file."""
    found: dict[str, Any] = {}
    for kind, entries in (each for part in parts for each in part.items()):
        if isinstance(entries, list):
            found.setdefault(kind, []).extend(entries)
        else:
            found.setdefault(kind, {}).update(entries)
    return found


@pytest.fixture(scope="module")
def refused(stack: Stack, lines: Lines) -> Refused:
    """What came of an update with a dangerous line of each kind."""
    del lines
    config, running = stack.program.config(), _running(stack)
    stack.program.change({"extra": _together(_DANGEROUS.values())})
    try:
        run = stack.up()
    finally:
        stack.program.write(config)
    return Refused(run, _running(stack) == running)


@pytest.mark.parametrize("rule", _DANGEROUS)
def test_a_dangerous_line_is_refused_with_a_sentence_that_names_its_key(refused: Refused, rule: str) -> None:
    ((kind, _),) = _DANGEROUS[rule].items()
    assert refused.run.code != 0
    said = "\n".join(refused.run.errors)
    assert re.search(rf"kolab:extra\.{kind}\S* \w.* Fix: .*\. \[{rule}\]", said), said


def test_a_refusal_changes_nothing_that_runs(refused: Refused) -> None:
    assert refused.same
    assert refused.run.operations == []


@pytest.fixture(scope="module")
def misread(stack: Stack, lines: Lines, refused: Refused) -> Refused:
    """What came of an update with lines that no daemon can read."""
    del lines, refused
    config, running = stack.program.config(), _running(stack)
    tried = [
        {"rule": "extra-unknown", "subject": f"kolab:extra.{at}", "reason": "to see who reads it"}
        for at in ("imap.search_batchsize", "website[0]")
    ]
    acknowledged = [*config.get("kolab:acknowledge", ()), *tried]
    stack.program.change(
        {"extra": _together(each for each, _ in _MISREAD.values()), "acknowledge": acknowledged}
    )
    try:
        # Without that the update ends with whichever is refused first.
        run = stack.up("--continue-on-error")
    finally:
        stack.program.write(config)
    return Refused(run, _running(stack) == running)


@pytest.mark.parametrize("daemon", _MISREAD)
def test_a_line_that_its_daemon_cannot_read_is_refused_with_the_daemons_words(
    misread: Refused, daemon: str
) -> None:
    assert misread.run.code != 0
    assert re.search(_MISREAD[daemon][1], refusals(misread.run).get(daemon, "")), misread.run.errors


def test_lines_that_no_daemon_can_read_stop_nothing_and_pods_that_start_anew_come_back(
    stack: Stack, misread: Refused
) -> None:
    assert misread.same
    for daemon in _MISREAD:
        stack.kubectl("delete", "pod", stack.pod(daemon), "--wait=true")
    stack.wait_ready()
    effects.mail(stack)


@pytest.fixture(scope="module")
def removed(stack: Stack, lines: Lines, misread: Refused, report: Report) -> dict[str, Any]:
    """What is seen once the lines have gone."""
    del misread
    stack.program.write(lines.config)
    with report.timed("an update that takes lines of an operator's own back"):
        stack.apply()
    return seen(stack)


@pytest.mark.parametrize("look", LOOKS)
def test_what_a_line_said_is_as_before_once_it_has_gone(
    removed: dict[str, Any], lines: Lines, look: str
) -> None:
    assert removed[look] == lines.before[look]


@pytest.mark.usefixtures("removed")
def test_mail_flows_without_the_lines(stack: Stack) -> None:
    effects.mail(stack)
