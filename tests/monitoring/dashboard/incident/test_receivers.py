from __future__ import annotations

from pathlib import Path
from urllib.parse import unquote

from monitoring.dashboard.incident.receivers import receivers
from monitoring.dashboard.view.history import DeploymentHistory
from tests.monitoring.config.configs import LEAST, load

ROUTES = """
[[notify]]
route = "alertmanager"
url = "http://alertmanager:9093/am"
[[notify]]
route = "pagerduty"
routing_key_env = "KEY"
[[notify]]
webhook = "https://hooks.example.org/secret"
"""


def test_systems_with_incidents_of_their_own_say_where_it_is(history: DeploymentHistory, tmp_path: Path) -> None:
    alertmanager, pagerduty = receivers(load(tmp_path, LEAST + ROUTES).notify, history.incidents[0], history.summary)
    assert unquote(alertmanager.href) == (
        "http://alertmanager:9093/am/#/alerts?silenced=true&inhibited=true&filter="
        '{alertname="ModelIncident",deployment_id="1",incident="1"}'
    )
    assert (pagerduty.href, pagerduty.words[:28]) == ("", "alert key pitfalls-incident-")


def test_a_route_says_where_its_receiver_has_an_incident(history: DeploymentHistory, tmp_path: Path) -> None:
    given = ROUTES.replace(
        'routing_key_env = "KEY"', 'routing_key_env = "KEY"\nincident_url = "https://p.example.org/?q={key}"'
    )
    given += 'incident_url = "https://s.example.org/{deployment}/{incident}"\n'
    _, pagerduty, webhook = receivers(load(tmp_path, LEAST + given).notify, history.incidents[0], history.summary)
    assert pagerduty.href == f"https://p.example.org/?q={pagerduty.words.removeprefix('alert key ')}"
    assert (webhook.href, webhook.words) == ("https://s.example.org/1/1", "")
