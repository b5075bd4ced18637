"""The whole log program, compiled and run by VRL itself."""

from __future__ import annotations

from typing import Any

import pytest

from model.monitoring import log_program
from tests.monitoring.checkers import settings
from tests.monitoring.log_lines import COUNTED, HIDDEN, SECRET, Counted

pyvrl = pytest.importorskip("pyvrl", reason="pip install pyVRL")


@pytest.fixture(scope="module")
def vrl() -> Any:
    # The program's result is the event itself.
    return pyvrl.Transform(f"{log_program.program(settings())}\n.")


def event(daemon: str, line: str) -> dict[str, Any]:
    return {
        "message": line,
        "timestamp": "2026-11-23T07:40:00Z",
        "stream": "stdout",
        "file": "/var/log/pods/x",
        "kubernetes": {
            "pod_labels": {"app.kubernetes.io/name": daemon},
            "pod_name": f"kolab-proxy-imap-{daemon}-0",
            "pod_namespace": "kolab",
            "container_name": daemon,
            "pod_node_name": "n1",
        },
    }


@pytest.mark.parametrize(("daemon", "line", "counted"), COUNTED.values(), ids=COUNTED)
def test_a_line_is_counted_as(daemon: str, line: str, counted: Counted, vrl: Any) -> None:
    found = vrl.remap(event(daemon, line))
    assert Counted(*(found.get(key, "") for key in Counted._fields)) == counted


@pytest.mark.parametrize("line", HIDDEN.values(), ids=HIDDEN)
@pytest.mark.parametrize("daemon", ["postfix", "imap", "proxy", "roundcube", "webapp", "mariadb"])
def test_no_secret_leaves_the_program(daemon: str, line: str, vrl: Any) -> None:
    assert SECRET not in str(vrl.remap(event(daemon, line)))


def test_a_line_is_stored_with_where_it_came_from(vrl: Any) -> None:
    found = vrl.remap(event("mariadb", "ready for connections"))
    assert found == {
        "timestamp": "2026-11-23T07:40:00Z",
        "_msg": "ready for connections",
        "service": "mariadb",
        "pod_namespace": "kolab",
        "pod_name": "kolab-proxy-imap-mariadb-0",
        "container_name": "mariadb",
        "node": "n1",
        "stream": "stdout",
    }


def test_an_event_without_any_expected_field_does_not_break_the_program(vrl: Any) -> None:
    assert vrl.remap({})["service"] == "unknown"


def test_the_noise_of_cyrus_is_dropped(vrl: Any) -> None:
    with pytest.raises(Exception, match="abort"):
        vrl.remap(event("imap", "cyrus-imapd/imap[9]: accept lock: 1"))
