"""Hourly windows of a model whose errors depend on the time of day: seasonality is found, and hides no harm."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path

import numpy as np
import pandas as pd

from monitoring import Monitor
from monitoring.documents.status import status_document
from monitoring.sentences.incident_text import incident_text

FIRST = datetime(2024, 1, 1, tzinfo=UTC)
ROWS = 40


def hourly(days: int, *, first: datetime, seed: int, wrong: float = 0.0) -> pd.DataFrame:
    """Answers of a model that errs on 5 % of the rows at night and on 45 % at noon, and on `wrong` more of them."""
    rng = np.random.default_rng(seed)
    hour = np.repeat(np.arange(days * 24), ROWS)
    when = pd.DatetimeIndex([first] * hour.size) + pd.to_timedelta(hour * 3600 + rng.integers(0, 3600, hour.size), "s")
    errs = rng.random(hour.size) < 0.25 - 0.2 * np.cos(2 * np.pi * (hour % 24) / 24) + wrong
    answer = rng.choice(["no", "yes"], hour.size)
    truth = np.where(errs, np.where(answer == "yes", "no", "yes"), answer)
    return pd.DataFrame({"ts": when, "amount": rng.normal(size=hour.size), "answer": answer, "y": truth})


def test_a_watch_with_daily_seasonality_is_compared_with_its_time_of_day(tmp_path: Path) -> None:
    monitor = Monitor.from_reference(
        hourly(10, first=FIRST, seed=1),
        out=tmp_path / "hourly",
        event_time="ts",
        predicted="answer",
        label="y",
        classes=("no", "yes"),
        every="1h",
        clock=lambda: FIRST + timedelta(days=30),
    )
    config = tmp_path / "hourly" / "monitor.toml"
    config.write_text(re.sub(r"min_rows = \d+", "min_rows = 20", config.read_text()))
    quiet = hourly(3, first=FIRST + timedelta(days=10), seed=2)
    harmed = hourly(1, first=FIRST + timedelta(days=13), seed=3, wrong=0.2)
    found = monitor.run(pd.concat([quiet, harmed], ignore_index=True))
    (page,) = (incident for incident in found.incidents if incident.level == "page")
    begun = FIRST + timedelta(days=13)
    assert begun <= page.window_start <= begun + timedelta(hours=8)  # from midnight, when errors are fewest
    assert "against the same time of the day" in incident_text(page).message
    document = status_document(found.status).plain()
    cycles = {(one["watch"], one["slice"]): one for one in document["cycles"]}
    assert cycles["error", ""]["cycle"] == "day"
    assert cycles["error", ""]["gain"] > 1.5
