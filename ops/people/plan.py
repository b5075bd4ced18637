"""What an account lacks to be as it shall be, as steps of the web application."""

from __future__ import annotations

from ops.artisan import Call, call
from ops.people.application import STORAGE, Details
from ops.people.bulk import Account


def intent(account: Account, there: Details | None) -> str:
    if there is None:
        return "would be made"
    steps = lacking(account, there)
    return "would get " + ", ".join(map(_words, steps)) if steps else "is there already"


def _words(step: Call) -> str:
    if step.command == "user:add-alias":
        return f"the alias {step.arguments['alias']}"
    sign = "more" if step.command == "user:assign-sku" else "less"
    return f"{step.arguments['--qty']} GiB {sign}"


def lacking(account: Account, there: Details) -> list[Call]:
    """What makes an account as it shall be."""
    steps = [
        call("user:add-alias", user=account.email, alias=alias)
        for alias in account.aliases
        if alias not in there.aliases
    ]
    return (
        steps if account.quota is None else [*steps, *resize(account.email, account.quota - there.gigabytes)]
    )


def resize(email: str, more: int) -> list[Call]:
    if more == 0:
        return []
    name = "user:assign-sku" if more > 0 else "user:remove-sku"
    return [call(name, user=email, sku=STORAGE, _qty=str(abs(more)))]
