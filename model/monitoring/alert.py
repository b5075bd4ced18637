"""One alert: when it fires, whom it wakes, what it means, and what to do first."""

from __future__ import annotations

from dataclasses import dataclass

from model.monitoring.probes import Severity

RUNBOOK = "docs/reference/alerts.md"
EVENTS = "kolab_log_events_total, counted by vector (model/monitoring/vector.py)"


@dataclass(frozen=True, kw_only=True)
class Alert:
    """An alerting rule and its entry in the runbook. `wait` is how long the expression must hold."""

    name: str
    severity: Severity
    service: str
    expr: str
    wait: str
    summary: str
    meaning: str
    steps: tuple[str, ...]
    source: str

    @property
    def anchor(self) -> str:
        """The fragment that leads to the heading of its entry."""
        return self.name.lower()

    def rule(self, runbook: str = RUNBOOK) -> dict[str, object]:
        """The rule as Prometheus reads it; its link leads into the copy of the page at `runbook`."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.wait,
            "labels": {"severity": self.severity, "service": self.service},
            "annotations": {
                "summary": self.summary,
                "description": self.meaning,
                # Also in the message itself: who is woken may reach no page at all.
                "steps": _literally(
                    " ".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))
                ),
                "runbook_url": f"{runbook.partition('#')[0]}#{self.anchor}",
            },
        }

    def entry(self) -> str:
        """The alert's section of the runbook; its heading is what runbook_url points at."""
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))
        return (
            f"## {self.name}\n\n{self.severity.capitalize()}, after {self.wait}. {_sentence(self.meaning)}\n\n{steps}\n\n"
            f"Fires when `{self.expr}`. Metric: {self.source}."
        )


def events(event: str, **labels: str) -> str:
    """Selector of counted log lines; the values are regular expressions."""
    wanted = "".join(f',{label}=~"{value}"' for label, value in labels.items())
    return f'kolab_log_events_total{{event=~"{event}"{wanted}}}'


def grew(selector: str, window: str) -> str:
    """Whether a counter grew within `window`, its very first count included.

    A counter of log lines is born with its first line, at 1; increase() alone sees no growth in that.
    """
    return f"(increase({selector}[{window}]) > 0 or ({selector} unless {selector} offset {window}))"


def _sentence(text: str) -> str:
    return f"{text[:1].upper()}{text[1:].rstrip('.')}."


def _literally(text: str) -> str:
    """Prometheus expands annotations as templates; this text has none."""
    return text.replace("{{", '{{"{{"}}')
