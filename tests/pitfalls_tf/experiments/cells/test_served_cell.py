"""A model that is served and monitored; harm before and after a page."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.metrics import row_losses
from pitfalls_tf.experiments.cells.deployments import TableDeployment
from pitfalls_tf.experiments.cells.served_cell import MonitorSetting, ServedCell, harm_by_value, measure_harm
from pitfalls_tf.experiments.figures import figure5
from pitfalls_tf.experiments.tasks import source_tasks
from pitfalls_tf.training.setup import recipe

DAYS = np.datetime64("2013-04-01", "us") + np.arange(4) * np.timedelta64(1, "D")


def test_harm_is_divided_by_the_page() -> None:
    found = measure_harm(np.array([0.2, 0.3, 0.4, 0.5]), DAYS, 0.1, DAYS[3])
    assert found["hidden"] == found["harm"] == pytest.approx((0.1 + 0.2 + 0.3 + 0.4) / 4)
    # Three of the four rows of the month.
    assert found["before"] == pytest.approx(0.75 * found["harm"])
    assert (found["days"], found["paged"]) == (3.0, 1.0)


def test_a_better_month_does_not_offset_harm() -> None:
    times = np.array(["2013-04-02", "2013-05-02"], dtype="datetime64[us]")
    found = measure_harm(np.array([0.5, 0.1]), times, 0.3, times[1])
    assert found["hidden"] == pytest.approx(0)
    assert found["harm"] == found["before"] == pytest.approx(0.1)


def test_without_a_page_all_harm_is_before_it() -> None:
    found = measure_harm(np.array([0.2, 0.3, 0.4, 0.5]), DAYS, 0.1, np.datetime64("NaT", "us"))
    assert found["before"] == found["harm"]
    assert np.isnan(found["days"])


@given(
    st.lists(st.tuples(st.floats(0, 2), st.integers(0, 200)), min_size=1, max_size=30),
    st.floats(0, 1),
    st.integers(0, 250),
)
def test_harm_before_a_page_is_at_most_all_harm(rows: list[tuple[float, int]], promised: float, paged: int) -> None:
    losses = np.array([loss for loss, _ in rows])
    times = DAYS[0] + np.array([day for _, day in rows]) * np.timedelta64(1, "D")
    found = measure_harm(losses, times, promised, DAYS[0] + paged * np.timedelta64(1, "D"))
    assert 0 <= found["before"] <= found["harm"] + 1e-12
    assert found["harm"] >= found["hidden"] - 1e-12


def test_the_excess_by_value_sums_to_its_mean() -> None:
    log = pa.table({"family": ["a", "b", "a"]})
    measured = harm_by_value(np.array([0.3, -0.1, 0.4]), log, "family")
    assert [(name, domain) for name, domain, _ in measured] == [("excess", "a"), ("excess", "b")]
    assert sum(value for _, _, value in measured) == pytest.approx(0.2)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_model_is_exported_served_and_monitored() -> None:
    """The losses of the logged answers are those of the network."""
    task, raw = source_tasks.load("flights", quick=True), source_tasks.raw_rows("flights", quick=True)
    cell = ServedCell(
        setup="mlp",
        task=task,
        deployment=TableDeployment(raw=raw),
        recipe=recipe("flights", quick=True),
        monitors=(MonitorSetting(slices=("origin",)),),
    )
    from pitfalls_tf.fitting import ensemble

    table = cell.run([0])[0]
    fits = ensemble.fit(cell.recipe, task.training, seeds=[0])
    deployed = [part.examples for part in task.parts if part.split == "deployed"]
    losses = np.concatenate([row_losses(fits.predict(part.inputs)[0], part.targets)["brier"] for part in deployed])
    found = {name: figure5.values(table, "", name)[0] for name in ("promised", "hidden", "harm", "before")}
    assert found["hidden"] == pytest.approx(losses.mean() - found["promised"], abs=1e-5)
    assert 0 <= found["before"] <= found["harm"]
