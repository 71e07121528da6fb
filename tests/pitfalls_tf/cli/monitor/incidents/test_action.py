from __future__ import annotations

import getpass
import os
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from click.testing import Result

from monitoring.errors import BadInput
from pitfalls_tf.cli.monitor.incidents.action import login_name, time_of
from tests.small_deployment import CONFIG

NOON = datetime(2024, 1, 1, 12, tzinfo=UTC)


def test_a_time_without_a_zone_is_in_that_of_the_windows() -> None:
    assert time_of("2024-01-02T08:00", NOON, ZoneInfo("America/New_York")) == datetime(2024, 1, 2, 13, tzinfo=UTC)
    assert time_of("2024-01-02T08:00+01:00", NOON, ZoneInfo("UTC")) == datetime(2024, 1, 2, 7, tzinfo=UTC)


@pytest.mark.parametrize("text", ["soon", "0h", "2023-12-31", "99999999d", "2024-13-01"])
def test_what_is_no_time_to_come_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="Correct --until"):
        time_of(text, NOON, ZoneInfo("UTC"))


def test_a_user_without_a_name_is_a_number(monkeypatch: pytest.MonkeyPatch) -> None:
    def unknown() -> str:
        raise KeyError("uid not found")

    monkeypatch.setattr(getpass, "getuser", unknown)
    assert login_name() == f"user {os.getuid()}"


def test_before_the_first_run_there_is_no_incident(tmp_path: Path, pitfalls: Callable[..., Result]) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    result = pitfalls("monitor", "incidents", "note", "1", "x", "--config", tmp_path / "monitor.toml")
    assert (result.exit_code, "pitfalls monitor run" in result.stderr) == (2, True)
