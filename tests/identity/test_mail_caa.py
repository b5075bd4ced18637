"""CAA: our authority, those of others, and what each name gets."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from model.identity import records
from model.identity.answers import Answers
from model.rules import mail_others
from tests.identity.stacks import stack

OURS = (
    '"letsencrypt.org; validationmethods=dns-01; accounturi=https://acme-v02.api.letsencrypt.org/acme/acct/1"'
)


def at(name: str, **changes: Any) -> set[str]:
    return {str(value) for value in Answers(records(stack(**changes))).ask(name, "CAA")}


def test_other_authorities_stand_beside_ours_at_each_of_our_names() -> None:
    found = at("mx.example.org", dns__caa={"issue": ["digicert.com", "globalsign.com"]})
    assert found >= {f"0 issue {OURS}", '0 issue "digicert.com"', '0 issue "globalsign.com"'}


def test_wildcards_have_authorities_of_their_own_or_none() -> None:
    some = at("mx.example.org", dns__caa={"issuewild": ["digicert.com"]})
    assert '0 issuewild "digicert.com"' in some
    assert '0 issuewild ";"' in at("mx.example.org", dns__caa={"issuewild": []})
    assert not any("issuewild" in each for each in at("mx.example.org"))


def test_a_domain_has_its_own_and_leaves_the_others_alone() -> None:
    own: dict[str, Any] = {
        "domains": {"example.net": {"caa": {"issue": ["digicert.com"], "iodef": "caa@example.net"}}},
        "mail__mx": {"stage": "live"},
    }
    assert at("mta-sts.example.net", **own) == {
        f"0 issue {OURS}",
        '0 issue "digicert.com"',
        '0 iodef "mailto:caa@example.net"',
    }
    assert '0 issue "digicert.com"' not in at("mx.example.org", **own)


def test_a_whole_domain_has_caa_at_its_own_name() -> None:
    assert at("example.net") == set()
    own: dict[str, Any] = {"domains": {"example.net": {"caa": {"whole": True}}}}
    assert f"0 issue {OURS}" in at("example.net", **own)


def test_a_critical_property_is_flagged_and_reports_are_not() -> None:
    found = at("mx.example.org", dns__caa={"critical": True, "issuewild": []})
    assert found == {f"128 issue {OURS}", '128 issuewild ";"', '0 iodef "mailto:postmaster@example.org"'}


def test_others_without_ours_are_refused() -> None:
    others: dict[str, Any] = {"tls": {"issuer": "selfSigned"}, "mail__mtaSts": {"stage": "none"}}
    for path, changes in (
        ("kolab:dns.caa", {"dns__caa": {"issue": ["digicert.com"]}}),
        ("kolab:domains.example.net.caa", {"domains": {"example.net": {"caa": {"issue": ["digicert.com"]}}}}),
    ):
        settings = stack(**others, **changes)
        found = [finding for rule in mail_others.RULES for finding in rule(settings)]
        assert [(each.rule, each.path) for each in found] == [("caa-others-only", path)]


@pytest.mark.parametrize(
    "bad", ["", "digicert", 'digicert.com"', "digicert.com\n", "digicert.com; a b=c", "*.digicert.com"]
)
def test_what_is_no_authority_is_refused(bad: str) -> None:
    with pytest.raises(ValidationError):
        stack(dns__caa={"issue": [bad]})
