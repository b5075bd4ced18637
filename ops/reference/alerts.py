"""docs/reference/alerts.md: what each alert means and what to do first. The alerts' own links lead here."""

from __future__ import annotations

from model.monitoring import rules
from ops.reference.markdown import page, prose

_INTRODUCTION = """\
A *page* wakes somebody: mail or logins stop, or are unsafe, now. A *ticket* waits for the day. `kubectl` commands run in
the namespace of the stack (`kubectl config set-context --current --namespace kolab`), commands of a daemon inside of
its container (`kubectl exec -it <pod> -c <container> -- sh`); logs are at `/select/vmui/` of the website.

Alerts carry their first steps with them, and a link to their section. Set `kolab:monitoring.runbookUrl` to the URL of a
page that those who are woken can open without this repository; a copy of this one keeps its anchors.

They leave by every way that `kolab:monitoring.alerts` names: `webhook` (a chat, a pager, a topic of ntfy), `email` through
this stack's Postfix, or `email` through `server`, the mail server of somebody else. A stack that takes the world's mail
needs one that works while its own mail does not, and `heartbeat` where somebody notices that nothing comes any more."""


def text() -> str:
    """The page."""
    return page("Alerts", _INTRODUCTION, *(prose(alert.entry()) for alert in rules.every()))
