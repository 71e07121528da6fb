"""Tables of several predicted numbers: columns, lists or the text of lists; judged, or refused with the reason."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.errors import BadInput
from monitoring.onboarding.table_description import columns_described, described
from monitoring.sentences.incident_text import incident_text
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.reference import read_all

ANSWERS, TRUTHS = ["p_temp", "p_hum"], ["temp", "hum"]


def days(first: str, count: int, seed: int, *, noise: float = 1.0) -> pd.DataFrame:
    """200 forecasts a day of a temperature and of a humidity, of which only the second one gets worse."""
    rng, rows = np.random.default_rng(seed), count * 200
    x = rng.normal(size=rows)
    answers = np.stack([20.0 + 5.0 * x, 60.0 - 10.0 * x], axis=1)
    truths = answers + rng.normal(size=(rows, 2)) * [1.0, 3.0 * noise]
    frame = pd.DataFrame(
        {"ts": pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(rows) * 432, unit="s"), "x": x}
    )
    return frame.assign(**dict(zip(ANSWERS + TRUTHS, np.hstack([answers, truths]).T, strict=True)))


def in_lists(frame: pd.DataFrame) -> pd.DataFrame:
    found = frame.drop(columns=ANSWERS + TRUTHS)
    found["pred"], found["truth"] = frame[ANSWERS].to_numpy().tolist(), frame[TRUTHS].to_numpy().tolist()
    return found


def columns_of(frame: pd.DataFrame, folder: Path, *, text: bool = False, **said: Any) -> TableColumns:
    path = folder / ("table.csv" if text else "table.parquet")
    frame.to_csv(path, index=False) if text else frame.to_parquet(path)
    description = described(**{"event_time": "ts", **said})
    return columns_described(read_all(pieces_of(path)), description)[0]


def test_several_columns_name_the_numbers_after_those_of_the_labels(tmp_path: Path) -> None:
    for text in (False, True):
        found = columns_of(days("2024-01-01", 1, 0), tmp_path, text=text, predicted=ANSWERS, label=TRUTHS)
        assert (found.scores, found.label_columns, found.numbers) == (tuple(ANSWERS), tuple(TRUTHS), tuple(TRUTHS))
        assert found.inputs == {"x": "number"}


def test_lists_and_their_text_are_numbers_by_their_places(tmp_path: Path) -> None:
    for text in (False, True):
        found = columns_of(in_lists(days("2024-01-01", 1, 0)), tmp_path, text=text, predicted="pred", label="truth")
        assert (found.scores, found.numbers, found.width) == (("pred",), ("[0]", "[1]"), 2)


@pytest.mark.parametrize(
    ("change", "said", "reason"),
    [
        ({}, {"predicted": ANSWERS, "label": [*TRUTHS, "x"]}, "do not have the same number of numbers"),
        ({"hum": "dear"}, {"predicted": ANSWERS, "label": TRUTHS}, "labels are not 2 numbers"),
        ({"p_hum": "dear"}, {"predicted": ANSWERS, "label": TRUTHS}, "answers are not 2 numbers"),
        ({}, {"predicted": ANSWERS, "label": TRUTHS, "classes": ("a", "b")}, "has no classes"),
    ],
    ids=["counts", "labels", "answers", "classes"],
)
def test_what_does_not_fit_is_refused(
    change: dict[str, Any], said: dict[str, Any], reason: str, tmp_path: Path
) -> None:
    with pytest.raises(BadInput, match=reason):
        columns_of(days("2024-01-01", 1, 0).assign(**change), tmp_path, **said)


@pytest.fixture(scope="module")
def monitor() -> Monitor:
    reference = days("2024-01-01", 21, 0)
    return Monitor.from_reference(reference, event_time="ts", predicted=ANSWERS, label=TRUTHS)


def test_each_number_is_judged_and_the_worse_one_is_named(monitor: Monitor) -> None:
    live = pd.concat([days("2024-03-01", 3, 1), days("2024-03-04", 3, 2, noise=3.0)])
    live.loc[live.index[:5], "hum"] = np.nan  # a label of which one number is missing is none
    found = monitor.run(live)
    first, last = found.status.windows[0], found.status.windows[-1]
    assert first.labels == 195
    scores = {score.watch: score.value or 0.0 for score in last.scores if not score.slice}
    assert scores["number_absolute_error:temp"] == pytest.approx(0.8, abs=0.15)
    assert scores["number_absolute_error:hum"] > 5.0
    assert scores["absolute_error"] == pytest.approx(
        (scores["number_absolute_error:temp"] + scores["number_absolute_error:hum"]) / 2.0
    )
    assert {
        "surprise_number_absolute_error:hum",
        "estimated_absolute_error",
        "prediction:hum:location",
    } <= scores.keys()
    shown = {metric.metric for metric in last.measured}
    assert {"mean_absolute_error:temp", "root_mean_squared_error:hum", "r_squared:hum"} <= shown
    page = next(incident for incident in found.incidents if incident.level == "page")
    assert "number hum" in incident_text(page).message or "of hum" in incident_text(page).message
    assert {metric.metric for metric in found.benchmark.metrics} >= {"absolute_error", "number_bias:temp"}
