"""`./kolab domain`: mail domains in the web application, held against those of the stack file."""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator, Mapping
from typing import Any

from model import identity
from model.identity.rdata import parse_value
from model.settings import Settings
from ops import artisan, lookup
from ops.artisan import call
from ops.frame import add_actions, add_context, add_dry_run, add_json, go_ahead
from ops.kubectl import Kubectl, of_stack
from ops.people import application
from ops.people.application import DOMAIN_PACKAGE, DOMAIN_READY, Domain
from ops.stacks import StackProblem
from ops.tables import table


def add_command(commands: Any) -> None:
    """Registers the command."""
    for name, sub in add_actions(
        commands, "domain", "add, list, verify, suspend and remove mail domains", _ACTIONS
    ):
        if name == "add":
            sub.add_argument("domain", nargs="*", help="default: all of kolab:hostedDomains")
        elif name != "list":
            sub.add_argument("domain")
        if name in ("suspend", "remove"):
            add_context(sub)
        elif name in ("add", "resume"):
            add_dry_run(sub)
        else:
            add_json(sub)
        if name == "verify":
            sub.add_argument(
                "--server", action="append", default=[], metavar="ADDRESS[:PORT]",
                help="name server to ask; default: those of the zone",
            )  # fmt: skip


def differences(settings: Settings, there: Mapping[str, Domain]) -> Iterator[tuple[str, str]]:
    """Domains about which the stack file and the application disagree, with what to do."""
    for name in settings.domains:
        if name not in there:
            yield name, f"is in the stack file alone, so its mail is refused: ./kolab domain add {name}"
        elif not there[name].ready:
            back = f"./kolab domain resume {name}" if there[name].suspended else f"./kolab domain add {name}"
            yield name, f"{there[name].state}: {back}"
    for name in there.keys() - set(settings.domains):
        yield (
            name,
            "is in the application alone: no records, no certificate; add it to kolab:hostedDomains, or ./kolab domain remove",
        )


def show(options: argparse.Namespace) -> int:
    """Prints every domain that either side knows; 1 when they disagree."""
    settings, cluster = of_stack(options.stack)
    there = application.domains(cluster)
    wrong = dict(differences(settings, there))
    rows = [
        (
            name,
            settings.stage_of(name) if name in settings.domains else "not in it",
            there[name].state if name in there else "unknown",
            wrong.get(name, ""),
        )
        for name in dict.fromkeys((*settings.domains, *sorted(there)))
    ]
    if options.json:
        print(
            json.dumps(
                [dict(zip(("domain", "stackFile", "application", "todo"), r, strict=True)) for r in rows],
                indent=2,
            )
        )
    else:
        print(table(("DOMAIN", "STACK FILE", "APPLICATION", "TO DO"), rows))
    return 1 if wrong else 0


def add(options: argparse.Namespace) -> None:
    """Makes domains of the stack file known to the application, owned by its administrator and confirmed."""
    settings, cluster = of_stack(options.stack)
    wanted = [name.lower() for name in options.domain] or list(settings.domains)
    for name in wanted:
        _of_the_stack(name, settings)
    there = application.domains(cluster)
    todo = [name for name in wanted if name not in there or not there[name].ready]
    for name in wanted:
        if name not in todo:
            print(f"{name}: there already")
    if options.dry_run or not todo:
        for name in todo:
            print(f"{name}: would be added")
        return
    wallet = application.owner_wallet(cluster, settings)
    for name in todo:
        if name in there and there[name].suspended:
            raise StackProblem(f"{name} is suspended; ./kolab domain resume {name} is the way back")
        if name not in there:
            # --force brings one back that was removed before.
            artisan.must(cluster, [call("domain:create", domain=name, _force=True)])
        # Without an owner nobody can have an account there. One that it has already is no fault.
        (owned,) = artisan.run(
            cluster, [call("domain:set-wallet", domain=name, wallet=wallet, _package=DOMAIN_PACKAGE)]
        )
        if owned.code != 0 and "already assigned" not in owned.text:
            raise StackProblem(f"{name} gets no owner: {' '.join(owned.lines)[:200]}")
        # Whoever runs the stack answers for its domains: no code in DNS is asked for.
        artisan.must(cluster, [call("domain:set-status", domain=name, status=str(DOMAIN_READY))])
        print(f"{name}: added; accounts: ./kolab user add <name>@{name}")


def _of_the_stack(name: str, settings: Settings) -> None:
    if name not in settings.domains:
        raise StackProblem(
            f"{name} is not in kolab:hostedDomains, so it would have no records and no certificate; add it there, review,"
            f" make up, then ./kolab domain add {name}; nothing was changed"
        )


def verify(options: argparse.Namespace) -> int:
    """Whether mail of a domain can work: stack file, application, and each of its records at the name servers."""
    settings, cluster = of_stack(options.stack)
    name = options.domain.lower()
    _of_the_stack(name, settings)
    wrong = dict(differences(settings, application.domains(cluster)))
    found = [wrong[name]] if name in wrong else []
    wanted = [r for r in identity.records(settings) if r.name == name or r.name.endswith(f".{name}")]
    # Records of another mail domain that lies below this one are that one's affair.
    below = [each for each in settings.domains if each.endswith(f".{name}")]
    wanted = [r for r in wanted if not any(r.name == each or r.name.endswith(f".{each}") for each in below)]
    missing = []
    server = lookup.servers_of(name, options.server)[0]
    for record in wanted:
        texts = lookup.rdata_at(server, record.name, record.type)
        if record.value not in [parse_value(record.type, text) for text in texts]:
            missing.append(f"{record.name} {record.type}: {'other values' if texts else 'nothing'} there")
    found += missing
    if options.json:
        print(json.dumps({"domain": name, "records": len(wanted), "wrong": found}, indent=2))
    else:
        for each in found:
            print(f"{name}: {each}")
        more = f"; it is on {settings.stage_of(name)}" if settings.stage_of(name) != "live" else ""
        print(f"{name}: {len(wanted) - len(missing)} of {len(wanted)} records are at its name servers{more}")
    return 1 if found else 0


def _known(options: argparse.Namespace) -> tuple[Settings, Kubectl, Domain]:
    settings, cluster = of_stack(options.stack)
    found = application.domains(cluster).get(options.domain.lower())
    if found is None:
        raise StackProblem(
            f"the web application knows no domain {options.domain}; ./kolab domain list shows all"
        )
    if found.name == settings.domain:
        raise StackProblem(f"{found.name} is the primary domain of this stack; nothing was changed")
    return settings, cluster, found


def suspend(options: argparse.Namespace) -> None:
    """Stops a domain once the cluster is named: its mail is refused for good while it lasts."""
    _, cluster, found = _known(options)
    what = (
        f"{found.name} in context {cluster.context} would be suspended: mail to it is refused (554), and its senders are"
        f" told so, until ./kolab domain resume {found.name}. Mailboxes stay as they are."
    )
    if go_ahead(options.context, cluster.context, what):
        artisan.must(cluster, [call("domain:suspend", domain=found.name)])
        print(f"{found.name}: suspended")


def resume(options: argparse.Namespace) -> None:
    """Takes a suspension back."""
    _, cluster, found = _known(options)
    if not options.dry_run:
        artisan.must(cluster, [call("domain:unsuspend", domain=found.name)])
    print(f"{found.name}: {'would take' if options.dry_run else 'takes'} mail again")


def remove(options: argparse.Namespace) -> None:
    """Takes an empty domain out of the application, after it has left the stack file."""
    settings, cluster, found = _known(options)
    if found.name in settings.domains:
        raise StackProblem(
            f"{found.name} is still in kolab:hostedDomains: take it out there, review what the world will see, make up, then"
            " repeat this; nothing was changed"
        )
    left = sorted(email for email in application.users(cluster) if email.endswith(f"@{found.name}"))
    if left:
        raise StackProblem(
            f"{found.name} still has {len(left)} accounts, such as {left[0]}: ./kolab user remove them first; nothing was changed"
        )
    what = f"{found.name} in context {cluster.context} would be removed with its lists and aliases; it has no accounts."
    if go_ahead(options.context, cluster.context, what):
        artisan.must(cluster, [call("domain:delete", domain=found.name)])
        print(f"{found.name}: removed")


_ACTIONS: Mapping[str, tuple[Any, str]] = {
    "add": (add, "make domains of the stack file known to the web application"),
    "list": (show, "every domain, and where stack file and application disagree"),
    "verify": (verify, "whether stack file, application and name servers agree about a domain"),
    "suspend": (suspend, "refuse a domain's mail, after a question"),
    "resume": (resume, "take a suspension back"),
    "remove": (remove, "take an empty domain away, after a question"),
}
