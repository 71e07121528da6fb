"""``pitfalls monitor status``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

from click.testing import Result

from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


def test_before_the_first_run_the_error_names_the_command_to_run(pitfalls: Pitfalls, deployed: Path) -> None:
    for verb in (("status",), ("report", "--no-drift"), ("incidents", "acknowledge", "1")):
        result = pitfalls("monitor", *verb, "--config", deployed / "monitor.toml")
        assert (result.exit_code, result.stdout) == (2, "")
        assert "pitfalls monitor run" in result.stderr
    assert not (deployed / "pitfalls.db").exists()


def test_two_configs_on_one_store_have_their_own_status_and_incidents(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=25, broken_from=12))
    first, other = deployed / "monitor.toml", deployed / "other.toml"
    other.write_text(first.read_text() + '[budget]\npage = "1 per 1000 windows"\n[columns]\ntemp = { unit = "°F" }\n')
    assert pitfalls("monitor", "run", "--config", first).exit_code == 1
    before = pitfalls("monitor", "status", "--config", other, "--json")
    assert "Nothing was judged yet with the config's settings" in before.stderr
    report = pitfalls("monitor", "report", "--no-drift", "--config", other, "--out", deployed / "report")
    assert "Nothing was judged yet with the config's settings" in report.stderr
    assert json.loads(before.stdout)["budget"]["page"]["text"] == "1 per 365 windows"
    pitfalls("monitor", "run", "--config", other)
    found = before
    for config, budget in ((first, "1 per 365 windows"), (other, "1 per 1000 windows")):
        found = pitfalls("monitor", "status", "--config", config, "--json")
        assert found.stderr == ""
        assert json.loads(found.stdout)["budget"]["page"]["text"] == budget
    assert json.loads(found.stdout)["columns"] == {"temp": {"unit": "°F", "description": ""}}
    page, *_ = [one["number"] for one in json.loads(found.stdout)["incidents"] if one["level"] == "page"]
    assert pitfalls("monitor", "incidents", "acknowledge", str(page), "--config", other).exit_code == 0
    states = {
        config: [
            one["acknowledged_at"] is not None
            for one in json.loads(pitfalls("monitor", "status", "--config", config, "--json").stdout)["incidents"]
            if one["level"] == "page"
        ]
        for config in (first, other)
    }
    assert not any(states[first])
    assert states[other][0]
    assert sum(states[other]) == 1
