"""A declared burn-in: only facts page in it, whichever runs judge its windows, and later windows may vary more."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.config import load_config
from monitoring.errors import BadInput
from monitoring.notebook.result import MonitorResult
from monitoring.onboarding.rebaseline import NewNormal, rebaseline
from monitoring.records import AFTER_BURN_IN, BURN_IN
from monitoring.reports.sections.headline import headline
from monitoring.sentences.incident_text import incident_text

ROWS = 60
BURN_IN_DAYS = 8


def days(count: int, seed: int, *, effect: float = 0.0, broken_from: int | None = None) -> pd.DataFrame:
    """60 rows a day of a model of one number; each day moves the number by `effect`."""
    rng, rows = np.random.default_rng(seed), count * ROWS
    x = rng.normal(size=rows) + effect * np.repeat(rng.normal(size=count), ROWS)
    score = 1.0 / (1.0 + np.exp(-1.5 * x))
    truth = rng.random(rows) < score
    if broken_from is not None:
        truth[broken_from * ROWS :] ^= True
    when = pd.Timestamp("2024-03-01", tz="UTC") + pd.to_timedelta(np.arange(rows) * 86_400 // ROWS, unit="s")
    ids = [f"{seed}-{row}" for row in range(rows)]
    return pd.DataFrame({"id": ids, "ts": when, "x": x, "p": score, "y": truth.astype(int)})


def watching(out: Path, reference: pd.DataFrame, **said: Any) -> Monitor:
    settings = {"baseline": {"burn_in": f"{BURN_IN_DAYS}d"}, "windows": {"lateness": "0h"}}
    fields: dict[str, Any] = {"scores": "p", "label": "y", "prediction_id": "id", "event_time": "ts", **said}
    now = datetime(2024, 3, 20, tzinfo=UTC)
    return Monitor.from_reference(reference, out=out, clock=lambda: now, settings=settings, **fields)


@pytest.fixture(scope="module")
def reference() -> pd.DataFrame:
    return days(20, 0).drop(columns="ts")


def judged(found: MonitorResult) -> list[tuple[Any, ...]]:
    return [(one.start, one.page_log_evidence, one.status, one.findings) for one in found.windows]


def test_what_moves_from_day_to_day_pages_in_no_window_of_it_and_the_benchmark_is_wider_after(
    reference: pd.DataFrame, tmp_path: Path
) -> None:
    live, monitor = days(14, 1, effect=1.0), watching(tmp_path / "one", reference)
    early = monitor.run(live[: 5 * ROWS])
    assert headline(early.status).verdict == "Burn-in until 9 March 2024: no gross failure in 5 windows"
    found = monitor.run(live)
    assert found.incidents == ()
    kinds = [{one.kind for one in window.findings} for window in found.windows]
    assert all(BURN_IN in one for one in kinds[:BURN_IN_DAYS])
    assert all(AFTER_BURN_IN in one and BURN_IN not in one for one in kinds[BURN_IN_DAYS:])
    assert not any("no dates" in one for one in kinds)
    at_once = watching(tmp_path / "other", reference).run(live)
    assert judged(at_once) == judged(found), "two runs judge as one does"
    deviation = {one.watch: one.deviation for one in found.status.baseline if not one.slice}
    before = {one.watch: one.deviation for one in early.status.baseline if not one.slice}
    assert deviation["input:x:location"] > 2.0 * before["input:x:location"]


def test_facts_page_in_it_and_harm_after_it(reference: pd.DataFrame, tmp_path: Path) -> None:
    live = days(14, 2, broken_from=11)
    live.loc[live.index[2 * ROWS : 3 * ROWS], "p"] = np.nan
    found = watching(tmp_path, reference).run(live)
    first, *later = (one for one in found.incidents if one.level == "page")
    assert (incident_text(first).cause, first.window_start.day) == ("unusable answers", 3)
    assert [one.window_start.day >= 12 for one in later] == [True] * len(later) != []


def test_a_new_baseline_of_those_windows_ends_it(reference: pd.DataFrame, tmp_path: Path) -> None:
    monitor, live = watching(tmp_path, reference), days(12, 3, effect=0.3)
    monitor.run(live)
    path = tmp_path / "live.parquet"
    live.to_parquet(path)
    config = load_config(monitor.config)
    config = config.model_copy(update={"traffic": config.traffic.with_path(path)})
    said = NewNormal(
        start=datetime(2024, 3, 1, tzinfo=UTC),
        end=datetime(2024, 3, 9, tzinfo=UTC),
        since=None,
        reason="the first good weeks",
        by="someone",
    )
    rebaseline(monitor.config, config, said, clock=lambda: datetime(2024, 3, 14, tzinfo=UTC))
    assert load_config(monitor.config).baseline.burn_in is None
    last = monitor.run(days(14, 3, effect=0.3)).windows[-1]
    assert not {one.kind for one in last.findings} & {BURN_IN, AFTER_BURN_IN}


def test_a_reference_with_dates_needs_none(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="A burn-in is for a reference without dates"):
        watching(tmp_path, days(20, 0))
