"""Early-label bias: losses wait until the first labels are complete, or the label horizon is over."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.watches.early_labels import EarlyLabels, LabelRate
from monitoring.watches.label_coverage import LabelWindow

ALL = LabelRate(share=1.0, min_rows=50)


def window(number: int, horizon: int = 30) -> LabelWindow:
    return LabelWindow(start=number, end=number + 1, horizon=horizon)


def through(came: list[dict[int, int]], *, rows: int = 100, horizon: int = 30, usual: LabelRate = ALL) -> int | None:
    """The window in which the first labels had come."""
    first = EarlyLabels()
    for number, labels in enumerate(came):
        first = first.updated(rows, number, labels, window=window(number, horizon), rate=usual)
        if first.complete:
            return number
    return None


def test_labels_that_come_with_their_rows_are_complete_at_once() -> None:
    assert through([{0: 100}]) == 0
    assert through([{0: 40}], usual=LabelRate(share=0.4, min_rows=50)) == 0


def test_late_labels_are_waited_for_until_nine_tenths_are_there() -> None:
    assert through([{number - age: 10 for age in range(10) if number >= age} for number in range(20)]) == 8


def test_fewer_labels_than_the_baseline_had_are_waited_for_until_the_horizon() -> None:
    assert through([{number: 60} for number in range(20)], horizon=5) == 5


def test_labels_that_never_come_are_waited_for_until_the_horizon() -> None:
    assert through([{} for _ in range(20)], horizon=7) == 7


def test_a_few_first_rows_are_pooled_with_those_of_the_next_window() -> None:
    few = EarlyLabels().updated(3, 0, {0: 1}, window=window(0), rate=ALL)
    more = few.updated(100, 1, {1: 60}, window=window(1), rate=ALL)
    later = more.updated(100, 2, {0: 1, 1: 33, 2: 60}, window=window(2), rate=ALL)
    assert (few.rows, more.rows, later.rows) == (3, 103, 103)
    assert (more.labels, more.complete, later.labels, later.complete) == (61, False, 95, True)


def test_a_window_without_rows_does_not_begin_a_traffic() -> None:
    empty = EarlyLabels().updated(0, 0, {}, window=window(0), rate=ALL)
    assert empty == EarlyLabels()
    assert empty.updated(10, 5, {5: 10}, window=window(5), rate=ALL).start == 5


def test_labels_that_are_not_evaluated_are_a_finding() -> None:
    first = EarlyLabels().updated(100, 0, {0: 12}, window=window(0), rate=ALL)
    [finding] = first.findings(12)
    assert finding.message.startswith("12 of the first 100 rows have a label so far.")
    assert (first.findings(0), EarlyLabels(complete=True).findings(5)) == ((), ())


@given(
    st.lists(
        st.tuples(st.integers(0, 50), st.dictionaries(st.integers(0, 9), st.integers(0, 20))), min_size=1, max_size=12
    ),
    st.integers(1, 12),
    st.floats(0.0, 1.0),
)
def test_it_is_complete_within_the_horizon_for_good_and_survives_text(
    stream: list[tuple[int, dict[int, int]]], horizon: int, share: float
) -> None:
    first = EarlyLabels()
    ended = False
    for number, (rows, labels) in enumerate(stream):
        after = first.updated(
            rows, number, labels, window=window(number, horizon), rate=LabelRate(share=share, min_rows=5)
        )
        assert EarlyLabels.from_text(after.to_text()) == after
        assert after.complete or not ended
        ended = after.complete
        first = after
        if first.rows:
            assert ended or number + 1 - horizon <= first.newest


@pytest.mark.parametrize("text", ["", "1 2 3", "a b c d e f"])
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        EarlyLabels.from_text(text)
