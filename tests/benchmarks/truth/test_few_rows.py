from __future__ import annotations

import numpy as np
import pytest

from benchmarks.results import Table
from benchmarks.truth.few_rows import (
    ERROR,
    KINDS,
    Traffic,
    arrivals,
    fit_level,
    many_pages,
    pages,
    slice_row,
    table_row,
    worse,
)

EVERY = [one for kinds in KINDS.values() for one in kinds]


@pytest.mark.parametrize("traffic", EVERY, ids=lambda one: one.name)
def test_streams_processed_together_page_in_the_same_windows_as_the_level(traffic: Traffic) -> None:
    rng = np.random.default_rng(1)
    known = [arrivals(traffic, traffic.baseline, rng, live=False) for _ in range(2)]
    levels = [fit_level(one, traffic.min_rows, traffic.baseline_rows) for one in known]
    streams = [arrivals(traffic, 60, rng, live=True, rise=0.1) for _ in levels]
    found = many_pages(levels, streams).at
    assert (found == np.stack([pages(level, stream) for level, stream in zip(levels, streams, strict=True)])).all()


def test_late_labels_omit_no_rows_except_those_of_the_last_windows() -> None:
    (weeks,) = (one for one in EVERY if one.name == "all at every seventh window")
    sums = arrivals(weeks, 70, np.random.default_rng(2), live=True)
    assert [window[ERROR].rows for window in sums] == [1400 if place % 7 == 6 else 0 for place in range(70)]


def test_evaluation_waits_until_first_labels_that_are_mostly_errors_have_matured() -> None:
    (first,) = (one for one in EVERY if one.name == "the same, from the traffic's first window on")
    stream = arrivals(first, 60, np.random.default_rng(4), live=True)
    matured = next(place for place, window in enumerate(stream) if window[ERROR].rows)
    assert 15 <= matured <= 20
    rates = [window[ERROR].mean for window in stream[matured:]]
    assert max(rates[:5]) < 0.3, "most of the earliest labels are errors"


def test_an_exceeded_budget_is_a_remark() -> None:
    rows = (("quiet", 0.4, 0.4, 0.1, 0.3, 5.0), ("loud", 5.4, 5.1, 0.1, 1.0, 3.0))
    table = Table(title="", columns=("rows", "before", "pages", "SE", "any", "delay"), rows=rows)
    assert worse(table) == ["BUDGET EXCEEDED: loud: 5.10 ± 0.10 pages per 365 windows, promised at most 1."]


def test_a_table_row_has_pages_and_delay() -> None:
    name, *cells = table_row(EVERY[0], 10, np.random.default_rng(4))
    assert name == EVERY[0].name
    assert len(cells) == 5


def test_slices_of_few_windows_have_a_row() -> None:
    rows, windows, *cells = slice_row(40, 2, np.random.default_rng(3))
    assert rows == 40
    assert isinstance(windows, float)
    assert 12 <= windows <= 18
    assert len(cells) == 4
