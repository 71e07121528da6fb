from __future__ import annotations

from monitoring.reports.drawings.drawing import Drawing
from monitoring.reports.drawings.intervals import Mean, interval_columns, interval_rows
from monitoring.reports.drawings.series import HALF
from monitoring.reports.sections.benchmark import Interval
from tests.monitoring.reports.drawings.path_points import points_of

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
