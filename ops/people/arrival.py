"""The MX of a domain is published once the web application takes its mail: until then every message to it bounces."""

from __future__ import annotations

from collections.abc import Collection

from model.deployed import Deployed
from model.settings import Settings
from ops.kubectl import Kubectl
from ops.people import application
from ops.people.domain import differences
from ops.stacks import StackProblem


def require(settings: Settings, possible: Collection[Deployed]) -> None:
    """Raises StackProblem where the world would send mail of a domain here that the application does not take yet.

    Asked is about domains that took no mail by the last update. The primary domain of a new stack is made with its
    database. A stack of records alone (scope dns) has no application to ask: it says so.
    """
    new = [d for d in settings.taking if not possible or any(d not in each.taking for each in possible)]
    if not possible:
        new = [domain for domain in new if domain != settings.domain]
    if not new:
        return
    if not possible and settings.scope == "all":
        raise StackProblem(_sentence(new, "there is none yet"))
    try:
        there = application.domains(Kubectl.of(settings), seconds=60)
    except StackProblem as problem:
        if settings.scope == "dns":
            print(f"domains: whether the web application knows {', '.join(new)} was not asked: {problem}")
            return
        raise StackProblem(_sentence(new, f"it does not answer ({problem})")) from None
    wrong = {name: text for name, text in differences(settings, there) if name in new}
    if wrong:
        said = "; ".join(f"{name} {text}" for name, text in wrong.items())
        raise StackProblem(f"nothing was changed: MX records would lead mail to who refuses it: {said}")


def _sentence(domains: Collection[str], why: str) -> str:
    return (
        f"nothing was changed: whether the web application takes mail of {', '.join(domains)} cannot be known: {why}."
        f" Fix: leave {'it' if len(domains) == 1 else 'them'} on hold (kolab:domains.<name>.stage) and update; then"
        " ./kolab domain add, and live"
    )
