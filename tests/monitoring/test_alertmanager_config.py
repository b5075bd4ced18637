"""Who hears of an alert."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from model.monitoring import alertmanager, rules
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


def test_the_certificate_of_somebody_elses_server_is_verified_and_no_password_goes_there_unasked() -> None:
    server = {"host": "smtp.example.com", "port": 465, "sender": "kolab@example.com"}
    text = alertmanager.config(
        settings(monitoring={"alerts": {"email": "ops@example.com", "server": server}})
    )
    assert "insecure_skip_verify" not in text
    assert "smtp_auth" not in text
    assert ("smtp_smarthost: smtp.example.com:465" in text, "smtp_require_tls: true" in text) == (True, True)


def test_one_instance_gossips_with_nobody(stack: Settings) -> None:
    assert "--cluster.listen-address=" in alertmanager.flags(stack)


def test_the_heartbeat_goes_to_its_own_receiver_every_few_minutes_and_to_nobody_else(tmp_path: Path) -> None:
    alerts = {"webhook": "https://alerts.example.com/hook", "heartbeat": "https://alive.example.com/kolab"}
    file = tmp_path / "alertmanager.yml"
    file.write_text(alertmanager.config(settings(monitoring={"alerts": alerts})))
    for name, receiver in (("Watchdog", "heartbeat"), ("SmtpDown", "operator")):
        routed = run("amtool", "config", "routes", "test", f"--config.file={file}", f"alertname={name}")
        assert routed.strip() == receiver
    [alive] = [each for each in yaml.safe_load(file.read_text())["receivers"] if each["name"] == "heartbeat"]
    assert alive["webhook_configs"] == [{"url": "https://alive.example.com/kolab", "send_resolved": False}]


def test_without_a_heartbeat_nothing_fires_for_ever() -> None:
    quiet = settings(monitoring={"alerts": {"webhook": "https://alerts.example.com/hook"}})
    assert "Watchdog" not in rules.config(quiet)
    assert "Watchdog" not in alertmanager.config(quiet)


def test_a_heartbeat_with_a_token_is_read_from_a_file() -> None:
    hidden = settings(monitoring={"alerts": {"heartbeat": "secret"}})
    assert f"url_file: {alertmanager.HEARTBEAT_FILE}" in alertmanager.config(hidden)
