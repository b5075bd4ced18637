"""Who hears of an alert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from model.monitoring import alertmanager
from model.settings import Settings
from tests.monitoring.checkers import run, settings

RECEIVERS = {
    "nobody": {},
    "mail": {"email": "ops@example.com"},
    "webhook": {"webhook": "https://alerts.example.com/hook"},
    "both": {"email": "ops@example.com", "webhook": "https://alerts.example.com/hook"},
}


def config(stack: Settings) -> dict[str, Any]:
    return yaml.safe_load(alertmanager.config(stack))


@pytest.mark.parametrize("alerts", RECEIVERS.values(), ids=RECEIVERS)
def test_alertmanager_accepts_the_configuration(alerts: dict[str, str], tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(alertmanager.config(settings(monitoring={"alerts": alerts})))
    assert "1 receivers" in run("amtool", "check-config", file)


@pytest.mark.parametrize("severity", ["page", "ticket"])
def test_both_severities_reach_the_operator(severity: str, stack: Settings, tmp_path: Path) -> None:
    file = tmp_path / "alertmanager.yml"
    file.write_text(alertmanager.config(stack))
    routed = run("amtool", "config", "routes", "test", f"--config.file={file}", f"severity={severity}")
    assert routed.strip() == "operator"


def test_a_page_comes_sooner_than_a_ticket(stack: Settings) -> None:
    route = config(stack)["route"]
    assert (route["group_wait"], route["routes"][0]["group_wait"]) == ("5m", "30s")


def test_without_receivers_alerts_are_kept_for_the_web_interface() -> None:
    assert config(settings(monitoring={}))["receivers"] == [{"name": "nobody"}]


def test_the_password_is_read_from_a_file_and_never_part_of_the_configuration(stack: Settings) -> None:
    smtp = config(stack)["global"]
    assert smtp["smtp_auth_password_file"] == alertmanager.PASSWORD_FILE
    assert "smtp_auth_password" not in smtp


def test_the_helo_is_a_full_name_because_postfix_refuses_localhost(stack: Settings) -> None:
    assert "." in config(stack)["global"]["smtp_hello"]


def test_an_expired_certificate_does_not_stop_the_mail_about_it(stack: Settings) -> None:
    mail = config(stack)["receivers"][0]["email_configs"][0]
    assert mail["tls_config"] == {"insecure_skip_verify": True}


def test_one_instance_gossips_with_nobody(stack: Settings) -> None:
    assert "--cluster.listen-address=" in alertmanager.flags(stack)
