"""``pitfalls monitor run``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.monitoring.notifications.receivers import receiving
from tests.small_deployment import bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


def test_run_prints_one_document_and_exits_with_1_for_a_page(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=25, broken_from=12))
    result = pitfalls("monitor", "run", "--config", deployed / "monitor.toml", "--json")
    assert result.exit_code == 1
    found = json.loads(result.stdout)
    assert (found["model"], found["version"], len(found["windows"])) == ("flights", 1, 25)
    assert {"start", "end", "rows", "labels", "status", "evidence"} <= found["windows"][0].keys()
    assert {window["status"] for window in found["windows"]} <= {"ok", "notice", "page", "thin"}
    evidence = [window["evidence"]["page"] for window in found["windows"]]
    assert max(evidence[12:]) > 365 > max(evidence[:12])
    page = next(incident for incident in found["incidents"] if incident["level"] == "page")
    assert {"number", "opened_at", "window", "watch", "slice", "cause", "message", "state"} <= page.keys()
    assert found["coverage"]["rows"] == 1500
    assert {(one["metric"], one["slice"]) for one in found["sensitivity"]} == {
        (metric, part) for metric in ("error", "brier") for part in ("", "origin=EWR", "origin=JFK")
    }
    assert len(found["sensitivity"]) == 18
    again = json.loads(pitfalls("monitor", "run", "--config", deployed / "monitor.toml", "--json").stdout)
    assert {**again, "checked_at": found["checked_at"]} == found
    status = pitfalls("monitor", "status", "--config", deployed / "monitor.toml", "--json")
    assert (status.exit_code, json.loads(status.stdout)) == (1, again)


def test_rows_of_excluded_callers_are_left_out_and_counted(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    send(deployed, days(days=2, principal="load-test"), labels=False)
    config = deployed / "monitor.toml"
    result = pitfalls("monitor", "run", "--config", config, "--exclude-caller", "load-test", "--json")
    assert result.exit_code == 0, result.output
    assert "120 rows of excluded callers were left out." in result.stderr
    found = json.loads(result.stdout)
    assert [window["rows"] for window in found["windows"]] == [60, 60]
    assert found["excluded_rows"] == 120
    config.write_text(config.read_text().replace("[traffic]", '[traffic]\nexclude_callers = ["load-test"]'))
    again = json.loads(pitfalls("monitor", "run", "--config", config, "--json").stdout)
    assert again["windows"] == found["windows"], "the same deployment"


def test_healthy_traffic_exits_with_0_and_prints_the_status(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=10))
    result = pitfalls("monitor", "run", "--config", deployed / "monitor.toml")
    assert result.exit_code == 0, result.output
    assert "flights version 1" in result.stdout
    assert "1 per 365 windows" in " ".join(result.stdout.split())


@pytest.mark.parametrize(
    ("change", "code", "message"),
    [
        (lambda text: text.replace("min_rows", "minrows"), 2, "min_rows"),
        (lambda text: text.replace("models/flights", "models/none"), 3, "The bundle to watch is not there"),
        (lambda text: text.replace('"traffic"', '"nowhere"'), 2, "nowhere"),
        (lambda text: text.replace('["origin"]', '["temp"]'), 2, "category input"),
        (lambda text: text.replace("sqlite:///pitfalls.db", "sqlite:////proc/pitfalls.db"), 3, "/proc"),
    ],
    ids=["unknown key", "no bundle", "no traffic", "slice of a number", "unwritable store"],
)
def test_wrong_input_and_a_bad_environment_are_one_message_with_their_exit_code(
    pitfalls: Pitfalls,
    deployed: Path,
    send: Callable[..., None],
    days: Any,
    change: Callable[[str], str],
    code: int,
    message: str,
) -> None:
    send(deployed, days(days=1))
    config = deployed / "monitor.toml"
    config.write_text(change(config.read_text()))
    result = pitfalls("monitor", "run", "--config", config, "--json")
    assert result.exit_code == code
    assert message in result.stderr
    assert result.stdout == ""
    assert "Traceback" not in result.stderr


def test_a_log_of_another_model_and_classes_in_another_order_are_reported(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=3))
    config = deployed / "monitor.toml"
    text = config.read_text()
    shutil.copytree(deployed / "models" / "flights", deployed / "fleet" / "boats")
    config.write_text(text.replace("models/flights", "fleet/boats"))
    result = pitfalls("monitor", "run", "--config", config)
    assert "The traffic log has no row of boats version 1; it has rows of flights version 1." in result.stderr
    config.write_text(text.replace("[model]", '[model]\nclasses = ["late", "on_time"]'))
    refused = pitfalls("monitor", "run", "--config", config)
    assert refused.exit_code == 2
    assert "The classes are not those of the baseline." in refused.stderr


def test_a_heartbeat_is_pinged_for_what_was_judged_and_for_an_error(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=2))
    config = deployed / "monitor.toml"
    with receiving() as receiver:
        base = receiver.url.partition("?")[0]
        config.write_text(f'{config.read_text()}[heartbeat]\nurl = "{base}"\n')
        assert pitfalls("monitor", "run", "--config", config).exit_code == 0
        idle = pitfalls("monitor", "run", "--config", config)
        assert "Nothing is due" in idle.stdout
        (deployed / "models").unlink()
        assert pitfalls("monitor", "run", "--config", config).exit_code == 3
        pings = [path.rpartition("/secret")[2] for path in receiver.paths]
    assert pings == ["/start", "", "/start", "", "/start", "/fail"]
    assert b"The bundle to watch is not there" in receiver.bodies[-1]


def test_routes_hear_of_an_acknowledgement_at_once_and_a_receiver_that_was_down_is_tried_again_by_retry(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any
) -> None:
    send(deployed, days(days=1, without="temp"))
    config = deployed / "monitor.toml"
    with receiving() as receiver:
        route = f'[[notify]]\nwebhook = "{receiver.url}"\nstates = ["open", "acknowledged"]\n'
        config.write_text(config.read_text() + route)
        receiver.statuses = [404]
        assert "HTTP 404. The next run retries it." in pitfalls("monitor", "run", "--config", config).stderr
        again = pitfalls("monitor", "run", "--config", config)
        assert "Nothing is due" in again.stdout
        assert "notifications that did not reach everybody: 1" in again.stdout
        assert "HTTP 404" not in again.stderr, "it is left alone for a minute"
        receiver.statuses = [200]
        assert pitfalls("monitor", "notify", "retry", "--config", config).exit_code == 0
        assert pitfalls("monitor", "incidents", "acknowledge", "1", "--config", config).exit_code == 0
    assert [one["event"]["state"] for one in receiver.documents] == ["open", "open", "acknowledged"]
