"""What a preview says of zone files, which the engine does not see: the records that come and go."""

from __future__ import annotations

from model.deployed import Deployed
from model.ledger import after as deployed_after
from model.review.mail_changes import records, stages
from model.settings import Settings


def difference(settings: Settings, deployed: Deployed | None) -> str:
    """Records that this stack file adds, changes and removes, and the steps of life cycles that it takes.

    Compared are the stages, keys and policies that the deployed model knows; what moves addresses is in the plan above.
    """
    if deployed is None:
        return "Records: none is deployed yet; ./kolab dns show lists those that would be"
    before = _as_deployed(settings, deployed)
    items = [*stages(before, settings, deployed_after(settings, (deployed,))), *records(before, settings)]
    if not items:
        return "Records: no stage, key or policy of mail changes"
    lines = [line for item in items for line in (f"  {item.text}", *(f"    {each}" for each in item.detail))]
    return "\n".join(("Records:", *lines))


def _as_deployed(settings: Settings, deployed: Deployed) -> Settings:
    """`settings` with the mail identity that the world knows."""
    # What the file leaves open stays open: a default may mean less than the same word that somebody wrote.
    values = settings.model_dump(mode="json", by_alias=True, exclude_unset=True)
    mail = values.setdefault("mail", {})
    for domain in settings.domains:
        own = values.setdefault("domains", {}).setdefault(domain, {})
        own["stage"] = deployed.stage_of(domain)
        if own.get("mtaSts"):
            own["mtaSts"]["stage"] = deployed.seen_by(domain).mta_sts.stage
    mail.setdefault("dkim", {})["selectors"] = {
        name: {"stage": key.stage, "since": key.since, "publicKey": key.public_key}
        for name, key in deployed.dkim.items()
    }
    mail.setdefault("dmarc", {})["policy"] = deployed.dmarc.policy
    mail.setdefault("mtaSts", {})["stage"] = deployed.mta_sts.stage
    known = [domain for domain in deployed.domains if domain != settings.domain]
    return Settings.model_validate({**values, "hostedDomains": known})
