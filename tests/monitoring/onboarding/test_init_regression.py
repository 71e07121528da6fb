"""A model that predicts a number, from a table: noise and bias page, harder and shifted traffic do not."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from monitoring import Monitor
from monitoring.errors import BadInput


def days(first: str, count: int, seed: int, **change: float) -> pd.DataFrame:
    """200 predictions a day of a price; `change` is of noise (a factor), bias, and the input's mean."""
    rng = np.random.default_rng(seed)
    rows = count * 200
    x, z = rng.normal(size=rows) + change.get("shift", 0.0), rng.random(rows)
    return pd.DataFrame(
        {
            "id": [f"{first}-{row}" for row in range(rows)],
            "ts": pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(rows) * 432, unit="s"),
            "x": x,
            "z": z,
            "price": 100.0 + 10.0 * x + change.get("bias", 0.0),
            "paid": 100.0 + 10.0 * x + rng.normal(size=rows) * (0.5 + 2.0 * z) * change.get("noise", 1.0),
        }
    )


@pytest.fixture(scope="module")
def monitor() -> Monitor:
    return Monitor.from_reference(
        days("2024-01-01", 25, 0), event_time="ts", predicted="price", label="paid", prediction_id="id"
    )


@pytest.mark.slow
@pytest.mark.parametrize(("change", "page"), [({"noise": 2.0}, True), ({"bias": 3.0}, True), ({"shift": 1.0}, False)])
def test_a_worse_model_pages_and_other_traffic_does_not(change: dict[str, float], page: bool) -> None:
    fresh = Monitor.from_reference(
        days("2024-01-01", 25, 0), event_time="ts", predicted="price", label="paid", prediction_id="id"
    )
    found = fresh.run(days("2024-03-01", 6, 1, **change))
    assert any(incident.level == "page" for incident in found.incidents) == page


def test_quiet_traffic_is_estimated_in_the_unit_of_the_price_and_pages_nothing(monitor: Monitor) -> None:
    found = monitor.run(days("2024-03-01", 6, 1))
    assert [incident for incident in found.incidents if incident.level == "page"] == []
    estimate = found.status.windows[-1].estimates[0]
    assert (estimate.method, estimate.metric, estimate.trusted) == ("residual", "absolute_error", True)
    assert estimate.value == pytest.approx(1.2, abs=0.15)
    assert estimate.realised == pytest.approx(1.2, abs=0.25)
    losses = {score.watch: score.value for score in found.status.windows[-1].scores if not score.slice}
    assert losses["absolute_error"] == pytest.approx(1.2, abs=0.25)
    assert losses["bias"] == pytest.approx(0.0, abs=0.4)
    metrics = {metric.metric: metric for metric in found.benchmark.metrics}
    assert metrics["root_mean_squared_error"].mean == pytest.approx(np.sqrt(metrics["squared_error"].mean))
    assert 0.97 < metrics["r_squared"].low < metrics["r_squared"].mean < metrics["r_squared"].high < 1.0


def test_text_for_a_number_is_refused() -> None:
    table = days("2024-01-01", 25, 0).assign(paid="dear")
    with pytest.raises(BadInput, match="does not hold numbers"):
        Monitor.from_reference(table, event_time="ts", predicted="price", label="paid", task="regression")
