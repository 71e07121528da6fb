"""``pitfalls monitor backfill``."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from tests.small_deployment import LIVE, bundle, days, deploy, deployed, send

__all__ = ["bundle", "days", "deploy", "deployed", "send"]


def test_a_day_that_came_late_is_judged_again_and_the_windows_say_so(
    deployed: Path, send: Callable[..., None], days: Any, pitfalls: Callable[..., Result]
) -> None:
    place = ("--config", str(deployed / "monitor.toml"))
    send(deployed, days(days=4))
    send(deployed, days(days=1, start=LIVE + timedelta(days=5), seed=9))
    assert pitfalls("monitor", "run", *place).exit_code == 1, "a day without rows is a page"
    send(deployed, days(days=1, start=LIVE + timedelta(days=4), seed=8))
    asked = ("monitor", "backfill", *place, "--from", "2013-04-01", "--to", "2013-05-01")
    done = pitfalls(*asked, "--only", "missing")
    assert done.exit_code == 0
    head, first, *_ = done.stdout.splitlines()
    assert head == "Judged 2 windows. Of 2 that had been judged before, 2 changed."
    assert first.startswith("2013-04-05 00:00  page, 0 rows, 0 labels  ->  ok, 60 rows, ")
    line = pitfalls("monitor", "windows", *place, "--state", "revised").stdout.splitlines()[0]
    assert "revised  ok  60 rows" in line
    assert line.endswith("was page: no row, no label")
    nothing = json.loads(pitfalls(*asked, "--only", "missing", "--json").stdout)
    assert (nothing["judged"], nothing["until"], nothing["revised"]) == (0, None, [])
    again = json.loads(pitfalls(*asked[:-3], "2013-04-06", "--to", "2013-04-07", "--json").stdout)
    (one,) = again["revised"]
    assert one["before"] == one["after"]
    assert (again["deployment"], again["judged"], again["stopped"]) == (1, 1, False)


@pytest.mark.parametrize(
    ("end", "message"), [("2013-04-05", "Not a range of windows"), ("yesterday", "does not match the formats")]
)
def test_a_range_that_is_none_is_refused(
    deployed: Path, pitfalls: Callable[..., Result], end: str, message: str
) -> None:
    config = str(deployed / "monitor.toml")
    result = pitfalls("monitor", "backfill", "--config", config, "--from", "2013-04-06", "--to", end)
    assert (result.exit_code, message in result.stderr) == (2, True)
    assert not (deployed / "pitfalls.db").exists()
