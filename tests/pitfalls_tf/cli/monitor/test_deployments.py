"""``pitfalls monitor deployments``: two configs on one store, and a deployment that takes another's place."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


@pytest.fixture
def twins(deploy: Callable[[str], Path], send: Callable[..., None], days: Any) -> tuple[Path, Path]:
    """Two configs of one model on one store; the traffic of the second has lost a column."""
    eu, us = deploy("eu"), deploy("us")
    send(eu, days(days=2))
    send(us, days(days=2, without="temp"))
    for folder in (eu, us):
        path = folder / "monitor.toml"
        path.write_text(path.read_text().replace("sqlite:///pitfalls.db", f"sqlite:///{eu.parent}/shared.db"))
    return eu / "monitor.toml", us / "monitor.toml"


def test_a_second_config_does_not_read_healthy_by_the_first_one_s_windows(
    pitfalls: Pitfalls, twins: tuple[Path, Path]
) -> None:
    eu, us = twins
    assert pitfalls("monitor", "run", "--config", eu).exit_code == 0
    for verb in (("run",), ("status",), ("incidents", "acknowledge", "1")):
        refused = pitfalls("monitor", *verb, "--config", us)
        assert (refused.exit_code, refused.stdout) == (2, ""), refused.output
        assert "us/traffic" in refused.stderr
        assert "[deployment]" in refused.stderr
    us.write_text(us.read_text() + '[deployment]\nname = "flights-us"\n')
    assert pitfalls("monitor", "run", "--config", us).exit_code == 1
    assert pitfalls("monitor", "status", "--config", eu).exit_code == 0
    found = json.loads(pitfalls("monitor", "deployments", "--config", us, "--json").stdout)["deployments"]
    assert [(one["number"], one["name"], one["traffic"]) for one in found] == [
        (1, "flights", "eu/traffic"),
        (2, "flights-us", "us/traffic"),
    ]
    assert "2  flights-us version 1: us/traffic" in pitfalls("monitor", "deployments", "--config", us).stdout


def test_a_name_given_later_takes_the_history_along(pitfalls: Pitfalls, twins: tuple[Path, Path]) -> None:
    eu, _ = twins
    pitfalls("monitor", "run", "--config", eu)
    eu.write_text(eu.read_text() + '[deployment]\nname = "flights-eu"\n')
    assert pitfalls("monitor", "status", "--config", eu).exit_code == 0
    again = pitfalls("monitor", "run", "--config", eu, "--json")
    assert len(json.loads(again.stdout)["windows"]) == 2
    (only,) = json.loads(pitfalls("monitor", "deployments", "--config", eu, "--json").stdout)["deployments"]
    assert only["name"] == "flights-eu"


def test_changed_settings_tell_nobody_of_the_past_and_the_old_deployment_is_still_reached(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2, without="temp"))
    config = deployed / "monitor.toml"
    config.write_text(config.read_text() + '[[notify]]\nwebhook = "http://127.0.0.1:9/nobody"\n')
    first = pitfalls("monitor", "run", "--config", config)
    assert "Notification failed" in first.stderr
    assert pitfalls("monitor", "incidents", "acknowledge", "1", "--config", config).exit_code == 0
    config.write_text(config.read_text() + "[tolerance]\nerror = 0.021\n")
    second = pitfalls("monitor", "run", "--config", config, "--json")
    assert "Notification failed" not in second.stderr
    assert "takes the place of 1" in second.stderr
    assert json.loads(second.stdout)["incidents"][0]["state"] == "acknowledged"
    shown = pitfalls("monitor", "status", "--config", config, "--deployment", "1", "--json")
    assert json.loads(shown.stdout)["incidents"][0]["number"] == 1
    missing = pitfalls("monitor", "status", "--config", config, "--deployment", "9")
    assert missing.exit_code == 2
    assert "pitfalls monitor deployments" in missing.stderr
