"""Common parts of the monitor's verbs."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import pytest

from monitoring.config import MonitorConfig
from monitoring.records import MonitorStatus
from monitoring.runs.run import RunResult
from monitoring.store.store import Store
from pitfalls_tf.cli.monitor.options import exit_code, print_run, with_traffic
from pitfalls_tf.cli.output import Output
from tests.dashboard_store import EXAMPLES


@pytest.fixture
def status() -> MonitorStatus:
    """A deployment of the reports' tests, with pages."""
    found: MonitorStatus = EXAMPLES["make_status"]()
    return found


class Fields:
    """A record with the given fields, of a deployment without other versions."""

    versions = ()

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


@pytest.mark.parametrize(
    ("fields", "line"),
    [
        ({"has_rows": False}, "The traffic has no rows up to now: nothing was judged."),
        (
            {"waiting_labels": 1_200, "next_due_at": datetime(2025, 4, 12, tzinfo=UTC)},
            "1,200 labels wait for the next window, which is due at 2025-04-12 00:00 UTC.",
        ),
        ({"waiting_labels": 1}, "1 label waits for the next window."),
        (
            {"again_from": datetime(2025, 4, 11, tzinfo=UTC)},
            "More rows have come for windows from 2025-04-11 00:00 UTC",
        ),
        ({"excluded_rows": 12}, "12 rows of excluded callers were left out."),
    ],
)
def test_a_run_says_what_its_windows_do_not_show(
    fields: dict[str, Any], line: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run = RunResult(deployment=1, judged=0, opened=(), stopped=False, **fields)
    with Store.open(f"sqlite:///{tmp_path}/store.db") as store:
        print_run(run, store, Output(as_json=False, stdout=StringIO()))
    printed = capsys.readouterr().err
    assert printed.startswith(line)
    assert printed.count("\n") == 1
