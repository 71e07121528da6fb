"""Harm before and after a page."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np
import pytest

from pitfalls_tf.experiments import figure5
from pitfalls_tf.experiments.monitored_cell import MonitoredCell, harm, in_time
from pitfalls_tf.experiments.tasks import Part, Task
from tests.pitfalls_tf.small_examples import RECIPE, rows

if TYPE_CHECKING:
    from pitfalls_tf.examples import Examples
    from pitfalls_tf.experiments.tasks import SplitName

DAYS = np.datetime64("2013-04-01", "us") + np.arange(4) * np.timedelta64(1, "D")


def test_harm_is_parted_by_the_page() -> None:
    found = harm(np.array([0.2, 0.3, 0.4, 0.5]), DAYS, 0.1, DAYS[2])
    assert found["hidden"] == pytest.approx((0.1 + 0.2 + 0.3 + 0.4) / 4)
    assert found["before"] == pytest.approx((0.1 + 0.2) / 4)
    assert (found["days"], found["paged"]) == (2.0, 1.0)


def test_without_a_page_all_harm_is_before_it() -> None:
    found = harm(np.array([0.2, 0.3, 0.4, 0.5]), DAYS, 0.1, np.datetime64("NaT", "us"))
    assert found["before"] == found["hidden"]
    assert np.isnan(found["days"])


def test_parts_are_put_in_order_of_time() -> None:
    there = rows(40, seed=0)
    joined = in_time([there.take(np.arange(20, 40)), there.take(np.arange(20))])
    assert (joined.times == there.times).all()
    assert (joined.inputs == there.inputs).all()


@pytest.mark.slow
def test_a_deployment_that_goes_wrong_is_paged() -> None:
    """The truth turns round half way; the monitor has to say so, and not before."""
    hour = np.timedelta64(1, "h")

    parts: dict[SplitName, Examples] = {}
    starts: tuple[tuple[SplitName, str], ...] = (
        ("random", "2013-01-01"),
        ("blocked", "2013-01-01"),
        ("deployed", "2013-04-01"),
    )
    for seed, (name, start) in enumerate(starts, start=1):
        there = rows(2_000, seed=seed)
        there = there.where(there.labelled)
        parts[name] = replace(there, times=np.datetime64(start, "us") + np.arange(len(there)) * hour)
    late = parts["deployed"]
    turned = np.where(np.arange(len(late)) >= len(late) // 2, 1 - late.targets, late.targets)
    parts["deployed"] = replace(late, targets=turned)
    training = rows(1_000, seed=0)
    task = Task(
        source="small",
        training=training,
        validation=training,
        parts=tuple(Part(split=name, domain="all", examples=part) for name, part in parts.items()),
    )
    table = MonitoredCell(setup="mlp", task=task, recipe=RECIPE).run([0])[0]
    days = figure5.values(table, "", "days")
    assert 37 <= days[0] < 60  # the truth turns on day 37.5
