"""A table without answers of a model: its inputs are watched, and nothing else is asked of it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.errors import BadInput
from monitoring.reports.sections.headline import headline
from monitoring.tasks.task import TaskName


def days(first: str, count: int, *, factor: float = 1.0) -> pd.DataFrame:
    """200 rows a day of an amount, which is multiplied, and a country."""
    rng = np.random.default_rng(count)
    rows = count * 200
    return pd.DataFrame(
        {
            "id": [f"{first}-{row}" for row in range(rows)],
            "seen_at": pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(rows) * 432, unit="s"),
            "amount": rng.lognormal(3, 1, rows) * factor,
            "country": rng.choice(["DE", "FR", "IT"], rows, p=[0.5, 0.3, 0.2]),
        }
    )


def watching(task: TaskName | None = None, predicted: str | None = None) -> Monitor:
    return Monitor.from_reference(
        days("2024-01-01", 25), event_time="seen_at", prediction_id="id", task=task, predicted=predicted
    )


def test_quiet_inputs_are_healthy_and_moved_ones_are_named(tmp_path: Path) -> None:
    monitor = watching(task="inputs")
    quiet = monitor.run(days("2024-03-01", 5))
    assert quiet.incidents == ()
    assert headline(quiet.status).verdict.startswith("Healthy by inputs alone: no page in 5 windows")
    families = {score.watch.partition(":")[0] for score in quiet.status.windows[-1].scores}
    assert families == {"input", "joint", "missing", "unseen"}
    other, moved = watching(task="inputs"), days("2024-03-01", 5, factor=3.0)
    assert other.run(moved).incidents[0].watch == "input:amount:location"
    page = other.report(moved, tmp_path / "report", drift=False).page.read_text("utf-8")
    assert "Mean quantile of amount" in page


@pytest.mark.parametrize(("more", "part"), [((), "no column but ids and times"), (("amount",), "amount (ignored)")])
def test_a_table_without_inputs_is_refused(more: tuple[str, ...], part: str) -> None:
    rows = days("2024-01-01", 25)[["id", "seen_at", *more]]
    with pytest.raises(BadInput, match="There is no input to watch") as refused:
        Monitor.from_reference(rows, event_time="seen_at", prediction_id="id", task="inputs", ignore=more)
    assert part in str(refused.value.got)


def test_a_table_without_answers_is_refused_until_that_is_said() -> None:
    with pytest.raises(BadInput, match="or --task inputs, to watch the inputs of a table without answers"):
        watching()
    with pytest.raises(BadInput, match="Inputs are watched alone, without the model's answers"):
        watching(task="inputs", predicted="country")
