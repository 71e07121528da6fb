from __future__ import annotations

from datetime import date

import pytest

from monitoring.records import MonitorStatus
from monitoring.reports import Benchmark, Month, SliceSeries
from monitoring.reports.charts.comparison import (
    MOST_LABELS,
    MOST_SLICES,
    Mean,
    interval_columns,
    interval_rows,
    month_chart,
    slice_chart,
)
from monitoring.reports.charts.drawing import Drawing
from monitoring.reports.charts.series import HALF
from monitoring.reports.page import page_charts
from monitoring.reports.sections.benchmark import Interval
from monitoring.reports.sections.formatting import MONTHS
from monitoring.reports.sections.months import loss_series, whole_series
from tests.monitoring.reports.charts.path_points import points_of

PLAIN = Interval(mean=0.2, low=0.2, high=0.2)
WIDE = Interval(mean=0.3, low=0.2, high=0.4)


def styles(drawing: Drawing) -> dict[str, str]:
    return {path.style: path.d for path in drawing.paths}


def test_means_stand_in_time_over_the_band_of_their_benchmark() -> None:
    means = [Mean(value=WIDE, words=("Jan", "2013")), Mean(value=PLAIN, words=("Feb",))]
    drawing = interval_columns("error", means, WIDE, "words", HALF)
    found = styles(drawing)
    first, second = points_of(found["mean-dot"])
    assert first[0] < second[0]
    assert first[1] < second[1]  # larger values are higher
    assert {"band", "baseline-line", "interval", "value-line"} <= set(found)
    assert {"Jan", "2013", "Feb"} <= {label.text for label in drawing.labels}


def test_a_benchmark_without_an_interval_is_a_line_and_none_is_nothing() -> None:
    means = [Mean(value=WIDE)]
    assert "band" not in styles(interval_columns("error", means, PLAIN, "words", HALF))
    assert not {"band", "baseline-line"} & set(styles(interval_columns("error", means, None, "words", HALF)))


def test_rows_stand_below_each_other_each_beside_its_benchmark() -> None:
    means = [Mean(value=WIDE, words=("o = A",), benchmark=WIDE), Mean(value=PLAIN, words=("o = " + "B" * 90,))]
    drawing = interval_rows("error", means, "words", HALF)
    found = styles(drawing)
    assert found["benchmark-mark"].count("z") == 1
    assert found["interval"].count("M") == 1  # of the mean that has an interval
    first, second = points_of(found["mean-dot"])
    assert first[1] < second[1]
    names = [label for label in drawing.labels if label.text.startswith("o = ")]
    assert [len(label.text) for label in names] == [5, 22]
    assert all(label.x - 6.6 * len(label.text) >= 0 for label in names)
    assert drawing.height > second[1]


BROAD = Interval(mean=0.2, low=0.1, high=0.3)


def series(months: int, *, part: str = "", metric: str = "error") -> SliceSeries:
    """One metric by month, from January 2013 on."""
    return SliceSeries(
        metric=metric,
        slice=part,
        rows=100 * months,
        whole=BROAD,
        months=tuple(
            Month(first_day=date(2013 + month // 12, month % 12 + 1, 1), windows=30, rows=100, value=BROAD)
            for month in range(months)
        ),
    )


def test_the_benchmark_is_a_band_and_months_are_rows_weighted(status: MonitorStatus, benchmark: Benchmark) -> None:
    whole = whole_series(loss_series(status), "brier")
    assert whole is not None
    chart = month_chart(whole, benchmark.of("brier"))
    styles = {path.style: path.d for path in chart.drawings[0].paths}
    assert "band" in styles
    assert len(points_of(styles["mean-dot"])) == len(chart.table.rows) == 9
    assert float(chart.table.rows[3][3]) == pytest.approx(0.208, abs=0.02)
    assert chart.note == "Dashed line: benchmark 0.146 (95 % interval over days: 0.135 to 0.157)."


def test_a_baseline_without_an_interval_is_a_line_and_no_benchmark_is_none() -> None:
    assert month_chart(series(2), PLAIN).note == "Dashed line: the baseline's mean, 20.0 %."
    bare = month_chart(series(2), None)
    assert bare.note == ""
    assert not {path.style for path in bare.drawings[0].paths} & {"band", "baseline-line"}


def test_many_months_have_few_labels_each_with_its_year() -> None:
    labels = [label.text for label in month_chart(series(30), None).drawings[0].labels]
    ticks = [text for text in labels if text in MONTHS]
    assert 5 < len(ticks) <= MOST_LABELS
    assert sum(text.startswith("20") and "%" not in text for text in labels) == len(ticks)


def test_slices_are_in_order_from_the_top(status: MonitorStatus, benchmark: Benchmark) -> None:
    chart = next(chart for chart in page_charts(status, benchmark) if chart.name == "slices-error")
    names = [label.text for label in chart.drawings[0].labels if label.text.startswith("origin")]
    assert names == ["origin = EWR", "origin = JFK", "origin = LGA"]
    assert [row[0] for row in chart.table.rows] == ["origin = EWR", "origin = JFK", "origin = LGA"]


def test_slices_given_from_outside_are_shown_with_the_watched_ones(status: MonitorStatus, benchmark: Benchmark) -> None:
    half = Interval(mean=0.5, low=0.4, high=0.6)
    given = SliceSeries(metric="brier", slice="carrier=UA", rows=10, whole=half, months=())
    charts = {chart.name: chart for chart in page_charts(status, benchmark, (given,))}
    assert charts["slices-brier"].table.rows[0][0] == "carrier = UA"
    assert len(charts["slices-brier"].table.rows) == 4


@pytest.mark.parametrize(
    ("known", "note"),
    [
        ({}, "Whole period."),
        ({"o=A": PLAIN}, "◇ baseline   ● deployed, whole period. Horizontal lines: 95 % intervals."),
        ({"o=A": BROAD}, "◇ benchmark   ● deployed, whole period. Horizontal lines: 95 % intervals."),
    ],
)
def test_the_note_says_what_a_slice_is_compared_with(known: dict[str, Interval], note: str) -> None:
    chart = slice_chart("error", [series(1, part="o=A"), series(1, part="o=B")], known)
    assert chart is not None
    assert chart.note == note


def test_without_slices_there_is_no_chart() -> None:
    assert slice_chart("error", [series(1)], {}) is None


def test_many_slices_are_in_the_table_and_those_with_most_rows_are_drawn() -> None:
    found = [series(1 + number, part=f"o={number:03d}") for number in range(MOST_SLICES + 3)]
    chart = slice_chart("error", found, {})
    assert chart is not None
    assert len(chart.table.rows) == MOST_SLICES + 3
    names = [label.text for label in chart.drawings[0].labels if label.text.startswith("o = ")]
    assert (len(names), names[0]) == (MOST_SLICES, "o = 003")
    assert chart.note.endswith("The 20 of 23 with most rows.")
