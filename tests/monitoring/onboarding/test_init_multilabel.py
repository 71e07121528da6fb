"""A model that gives each row any of four classes, from a table: a fault of one class pages, and it is named."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.reports.page import page_charts
from monitoring.sentences.incident_text import incident_text

CLASSES = ("sports", "politics", "science", "arts")
SCORES = tuple(f"p_{name}" for name in CLASSES)


def days(first: str, count: int, seed: int, broken: str | None = None) -> pd.DataFrame:
    """100 articles a day, whose classes are drawn by the scores; those of `broken` by something else."""
    rng = np.random.default_rng(seed)
    rows = count * 100
    x, z = rng.normal(size=rows), rng.normal(size=rows)
    scores = 1.0 / (1.0 + np.exp(-np.stack([x - 1.0, -x - 0.5, z - 2.0, 0.5 * (x + z) - 1.0], axis=1)))
    truth = rng.random(scores.shape) < scores
    if broken is not None:
        truth[:, CLASSES.index(broken)] = rng.random(rows) < 1.0 / (1.0 + np.exp(2.0 * z + 1.0))
    return pd.DataFrame(
        {
            "id": [f"{first}-{row}" for row in range(rows)],
            "ts": pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(rows) * 864, unit="s"),
            "x": x,
            "z": z,
            **{name: scores[:, place] for place, name in enumerate(SCORES)},
            "topics": [[CLASSES[place] for place in np.flatnonzero(row)] for row in truth],
        }
    )


def watching() -> Monitor:
    return Monitor.from_reference(
        days("2024-01-01", 30, 0),
        event_time="ts",
        scores=SCORES,
        label="topics",
        classes=CLASSES,
        prediction_id="id",
        rows=100,
    )


def test_quiet_traffic_pages_nothing_and_each_class_is_estimated() -> None:
    found = watching().run(days("2024-03-01", 6, 1))
    assert [incident for incident in found.incidents if incident.level == "page"] == []
    last = found.status.windows[-1]
    estimates = {one.metric: one for one in last.estimates if one.method == "calibrated"}
    assert {"macro_brier", "hamming_error", "class_brier:arts", "class_error:arts"} <= estimates.keys()
    assert estimates["macro_brier"].value == pytest.approx(0.17, abs=0.02)
    assert estimates["macro_brier"].trusted
    losses = {score.watch: score.value for score in last.scores if not score.slice}
    assert losses["macro_brier"] == pytest.approx(np.mean([losses[f"class_brier:{name}"] for name in CLASSES]))
    metrics = {metric.metric: metric.mean for metric in found.benchmark.metrics}
    assert metrics["class_auc:science"] > 0.6 > metrics["class_brier:science"]


def test_a_fault_of_one_class_pages_and_the_page_names_it() -> None:
    found = watching().run(days("2024-03-01", 6, 1, broken="science"))
    pages = [incident for incident in found.incidents if incident.level == "page"]
    assert pages
    assert "class science" in incident_text(pages[0]).message
    assert incident_text(pages[0]).cause == "label shares jumped"
    assert not any(name in incident_text(pages[0]).message for name in ("sports", "arts"))
    charts = {chart.name for chart in page_charts(found.status, found.benchmark)}
    assert any("class_brier" in name for name in charts), charts
    assert any("macro_brier" in name for name in charts), charts
