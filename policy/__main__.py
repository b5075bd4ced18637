"""The policy pack: model/rules/objects.py, asked by the engine about every object before it is made or changed.

    ./kolab pulumi preview --policy-pack policy --stack <stack>

Errors refuse the update, warnings are shown. What would delete data is refused by components/guard.py, pack or no pack:
a policy sees new states only.
"""

from __future__ import annotations

import sys
from pathlib import Path

# The engine starts this folder on its own; the rules lie beside it.
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from pulumi_policy import (
    EnforcementLevel,
    PolicyPack,
    ReportViolation,
    ResourceValidationArgs,
    ResourceValidationPolicy,
)

from model.catalogue import objects as catalogue
from model.findings import Finding, Rule
from model.rules import objects


def findings(args: ResourceValidationArgs) -> list[Finding]:
    """Everything that speaks against a resource that the program registers."""
    if not args.resource_type.startswith("kubernetes:"):
        return []
    manifest = dict(args.props)
    found = [*objects.judge(manifest)]
    return [*found, *objects.unguarded(manifest, protect=bool(args.opts.protect))]


def policy_of(rule: Rule) -> ResourceValidationPolicy:
    """The engine's policy for one rule: mandatory for an error, advisory for a warning."""

    def validate(args: ResourceValidationArgs, report_violation: ReportViolation) -> None:
        for finding in findings(args):
            if finding.rule == rule.id:
                report_violation(str(finding), None)

    level = EnforcementLevel.MANDATORY if rule.severity == "error" else EnforcementLevel.ADVISORY
    return ResourceValidationPolicy(rule.id, rule.why, validate, level)


RULES = tuple(value for value in vars(catalogue).values() if isinstance(value, Rule))

if __name__ == "__main__":
    PolicyPack(
        "kolab", policies=[policy_of(rule) for rule in RULES], enforcement_level=EnforcementLevel.MANDATORY
    )
