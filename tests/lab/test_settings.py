"""What can be chosen for a lab, and what is refused before anything is made."""

from __future__ import annotations

from typing import Any

import pytest

from tests.lab.errors import LabError
from tests.lab.settings import Settings


def test_defaults_are_the_documented_addresses() -> None:
    settings = Settings()
    assert [settings.node_address(name) for name in settings.node_names] == ["192.168.50.11", "192.168.50.12"]
    assert settings.node_pods("n2") == "10.244.2.0/24"
    assert [str(settings.load_balancer_addresses[i]) for i in (0, -1)] == ["192.168.50.200", "192.168.50.210"]
    assert settings.node_egress() == {"192.168.50.11": "198.51.100.11", "192.168.50.12": "198.51.100.12"}
    assert (settings.client, settings.cluster_dns) == ("203.0.113.9", "10.96.0.10")


def test_a_lab_may_have_no_pool() -> None:
    assert Settings(load_balancer="").load_balancer_addresses == []


def test_settings_survive_being_written_down() -> None:
    settings = Settings(nodes=3, proxy_mode="iptables", egress={"n1": "198.51.100.1"})
    assert Settings.load(settings.dump()) == settings


@pytest.mark.parametrize(
    ("given", "why"),
    [
        ({"nodes": 0}, "nodes: 0"),
        ({"nodes": 10}, "nodes: 10"),
        ({"proxy_mode": "ipvs"}, "proxy mode: 'ipvs'"),
        ({"segment": "192.168.50.0/23"}, "segment"),
        ({"segment": "nonsense"}, "segment"),
        ({"segment": "10.0.0.0/24"}, r"load balancer: 192\.168\.50\.200"),
        ({"load_balancer": "192.168.50.200"}, "FIRST-LAST"),
        ({"pods": "10.96.0.0/16"}, "overlap"),
        ({"egress": {"n1": "somewhere"}}, "egress: n1"),
        ({"egress": {"node1": "198.51.100.1"}}, "'node1' is no node"),
    ],
)
def test_what_cannot_work_is_refused(given: dict[str, Any], why: str) -> None:
    with pytest.raises(LabError, match=why):
        Settings(**given)
