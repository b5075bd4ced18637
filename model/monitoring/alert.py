"""One alert: when it fires, whom it wakes, what it means, and what to do first."""

from __future__ import annotations

from dataclasses import dataclass

from model.monitoring.probes import Severity

RUNBOOK = "docs/how-to/alerts.md"
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

    def rule(self) -> dict[str, object]:
        """The rule as Prometheus reads it."""
        return {
            "alert": self.name,
            "expr": self.expr,
            "for": self.wait,
            "labels": {"severity": self.severity, "service": self.service},
            "annotations": {
                "summary": self.summary,
                "description": self.meaning,
                "runbook_url": f"{RUNBOOK}#{self.name.lower()}",
            },
        }

    def entry(self) -> str:
        """The alert's section of the runbook; its heading is what runbook_url points at."""
        steps = "\n".join(f"{number}. {step}" for number, step in enumerate(self.steps, 1))
        return (
            f"## {self.name}\n\n*{self.severity}*, after {self.wait}. {_sentence(self.meaning)}\n\n{steps}\n\n"
            f"Fires when `{self.expr}`. Metric: {self.source}.\n"
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
