"""vector.yaml: from the nodes' log files to VictoriaLogs, and a few lines on the way to counters.

Source: https://vector.dev/docs/reference/configuration/
"""

from __future__ import annotations

from urllib.parse import urlencode

from model.monitoring.document import to_yaml
from model.monitoring.log_program import program
from model.monitoring.places import at, logs_namespace
from model.monitoring.victorialogs import INSERT_PATH
from model.settings import Settings
from model.topology import LOGS, VECTOR

PATH = "/etc/vector"
DATA = "/var/lib/vector"
NODE_LOGS = "/var/log/pods"
"""Where the kubelet keeps the log files of pods; nothing else of the node is seen."""
FLAGS = ("--config", f"{PATH}/vector.yaml")

_STREAM = ("service", "pod_namespace", "pod_name", "container_name")
"""What names a stream; `{pod_name=~"postfix.*"}` works as in upstream's documentation."""


def config(settings: Settings) -> str:
    """vector.yaml."""
    ours = f"{settings.kubernetes.namespace},{logs_namespace(settings)}"
    return to_yaml(
        {
            "data_dir": DATA,
            "sources": {
                "pods": {
                    "type": "kubernetes_logs",
                    "extra_namespace_label_selector": f"kubernetes.io/metadata.name in ({ours})",
                    # k3s rotates busy logs within seconds; the default of 60 s loses whole files.
                    "glob_minimum_cooldown_ms": 1000,
                    "max_line_bytes": 262144,
                    "use_apiserver_cache": True,
                },
                "own": {"type": "internal_metrics"},
            },
            "transforms": {
                "lines": {
                    "type": "remap",
                    "inputs": ["pods"],
                    # Also if something unforeseen fails, what was not redacted does not get through.
                    "drop_on_error": True,
                    "drop_on_abort": True,
                    "source": program(settings),
                },
                "events": {"type": "filter", "inputs": ["lines"], "condition": "exists(.event)"},
                "counted": {
                    "type": "log_to_metric",
                    "inputs": ["events"],
                    "metrics": [
                        {
                            "type": "counter",
                            "field": "event",
                            "namespace": "kolab",
                            "name": "log_events_total",
                            "tags": {
                                "event": "{{event}}",
                                "origin": "{{service}}",
                                "detail": "{{detail}}",
                                "network": "{{network}}",
                            },
                        }
                    ],
                },
            },
            "sinks": {"store": _store(settings), "metrics": _metrics()},
        }
    )


def _store(settings: Settings) -> dict[str, object]:
    query = urlencode(
        {"_stream_fields": ",".join(_STREAM), "_msg_field": "_msg", "_time_field": "timestamp"}, safe=","
    )
    return {
        "type": "http",
        "inputs": ["lines"],
        "uri": f"http://{at(settings, LOGS, 'http')}{INSERT_PATH}?{query}",
        "encoding": {"codec": "json"},
        "framing": {"method": "newline_delimited"},
        "compression": "gzip",
        # A GET on the insert path is no health check.
        "healthcheck": {"enabled": False},
        # When the store is away for long, lines are lost and counted; blocking would stop the counters as well.
        "buffer": {"type": "disk", "max_size": 536870912, "when_full": "drop_newest"},
    }


def _metrics() -> dict[str, object]:
    return {
        "type": "prometheus_exporter",
        "inputs": ["own", "counted"],
        "address": f"0.0.0.0:{VECTOR.port('metrics').number}",
        # A counter that was quiet for this long is forgotten and starts again at 1. The default is a minute.
        "flush_period_secs": 604800,
        # A counter carries the time of its last line; after five minutes Prometheus would call it stale.
        "suppress_timestamp": True,
    }
