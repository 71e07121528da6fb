"""Common parts of the monitor's verbs."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import MonitorConfig
from monitoring.records import MonitorStatus
from pitfalls_tf.cli.monitor.options import exit_code, with_traffic
from tests.dashboard_store import EXAMPLES


@pytest.fixture
def status() -> MonitorStatus:
    """A deployment of the reports' tests, with pages."""
    found: MonitorStatus = EXAMPLES["make_status"]()
    return found


class Fields:
    """A record with the given fields."""

    def __init__(self, **fields: Any) -> None:
        self.__dict__.update(fields)


def config() -> MonitorConfig:
    """A config with a relative traffic folder."""
    return MonitorConfig.model_validate({"model": {"bundle": "models/flights"}, "traffic": {"path": "traffic"}})


def test_traffic_of_the_command_line_replaces_that_of_the_config(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    assert with_traffic(config(), None).traffic.path == config().traffic.path
    assert with_traffic(config(), "live/*.parquet").traffic.path == tmp_path / "live/*.parquet"
    assert with_traffic(config(), "s3://bucket/traffic").traffic.path == "s3://bucket/traffic"


@pytest.mark.parametrize(
    ("opened", "incidents", "code"),
    [
        ([], [], 0),
        ([("notice", "open")], [("notice", "open")], 0),
        ([("page", "closed")], [("page", "closed")], 1),
        ([], [("page", "open")], 1),
        ([], [("page", "recovering"), ("page", "closed")], 1),
        ([], [("page", "closed")], 0),
    ],
)
def test_the_exit_code_is_1_for_a_raised_or_open_page(
    opened: list[tuple[str, str]], incidents: list[tuple[str, str]], code: int
) -> None:
    run: Any = Fields(opened=[Fields(level=level, state=state) for level, state in opened])
    status: Any = Fields(asked_at=None, incidents=[Fields(level=level, state=state) for level, state in incidents])
    assert exit_code(status, run) == code


@pytest.mark.parametrize(
    ("rule", "states", "code"),
    [
        ("open", ["acknowledged"], 1),
        ("unacknowledged", ["acknowledged", "recovering", "closed"], 0),
        ("unacknowledged", ["worse"], 1),
        ("none", ["open"], 0),
    ],
)
def test_the_exit_code_goes_by_the_rule(rule: str, states: list[str], code: int) -> None:
    status: Any = Fields(asked_at=None, incidents=[Fields(level="page", state=state) for state in states])
    assert exit_code(status, rule=rule) == code


def test_a_snoozed_page_is_open_and_does_not_wait_for_anybody(status: MonitorStatus) -> None:
    (page, *_), now = status.incidents, status.windows[-1].end
    snoozed = replace(page, state="worse", closed_at=None, snoozed_until=now + timedelta(hours=1))
    for later, code in ((timedelta(0), 0), (timedelta(hours=1), 1)):
        asked = replace(status, incidents=(snoozed,), asked_at=now + later)
        assert (exit_code(asked, rule="open"), exit_code(asked, rule="unacknowledged")) == (1, code)
