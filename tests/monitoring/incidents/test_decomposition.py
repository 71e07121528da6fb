from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitoring.incidents.cause import explain
from monitoring.incidents.decomposition import OTHERS, decompose, slice_parts, sum_windows, sums_by_slice
from monitoring.records import SCORE_ONE, BaselineScore, ScoreRecord, ScoreSum, WatchKey
from monitoring.sentences.alarm_text import alarm_headline
from tests.monitoring.incidents.alarms import alarm, baseline, loss_sum, watch, window


@st.composite
def sides(draw: st.DrawFn) -> dict[str, ScoreSum]:
    """Rows and sums of scores in [0, 1] by slice; some slices are empty, some absent."""
    names = draw(st.sets(st.sampled_from("abcde"), max_size=5))
    counts = {name: draw(st.integers(0, 10_000)) for name in sorted(names)}
    return {name: ScoreSum(count, draw(st.integers(0, count * SCORE_ONE))) for name, count in counts.items()}


@given(sides(), sides())
def test_the_parts_add_up_to_the_change_exactly(before: dict[str, ScoreSum], after: dict[str, ScoreSum]) -> None:
    first, last = sum(before.values(), ScoreSum()), sum(after.values(), ScoreSum())
    assume(first.rows and last.rows)
    parts = decompose(before, after)
    assert sum(part.total for part in parts) == pytest.approx(last.mean - first.mean, abs=1e-12)
    assert {part.slice for part in parts} == {*before, *after}


@given(sides())
def test_nothing_changed_is_nothing_explained(side: dict[str, ScoreSum]) -> None:
    for part in decompose(side, side):
        assert part.mix == 0
        assert part.loss == 0


def test_a_slice_that_got_worse_is_told_from_one_that_came_more_often() -> None:
    before = {"a": ScoreSum(80, 8 * SCORE_ONE), "b": ScoreSum(20, 10 * SCORE_ONE)}
    worse = {"a": ScoreSum(80, 24 * SCORE_ONE), "b": ScoreSum(20, 10 * SCORE_ONE)}
    often = {"a": ScoreSum(40, 4 * SCORE_ONE), "b": ScoreSum(60, 30 * SCORE_ONE)}
    a, b = decompose(before, worse)
    assert (a.slice, a.mix, b.total) == ("a", 0.0, 0.0)
    assert a.loss == pytest.approx(0.16)
    assert sum(part.mix for part in decompose(before, often)) == pytest.approx(0.16)
    assert all(abs(part.loss) < 1e-12 for part in decompose(before, often))


def test_rows_in_no_watched_slice_are_the_others() -> None:
    sums = {WatchKey(watch="error"): ScoreSum(10, 5), WatchKey(watch="error", slice="o=A"): ScoreSum(6, 4)}
    assert sums_by_slice(sums, "error", "o") == {"o=A": ScoreSum(6, 4), OTHERS: ScoreSum(4, 1)}


def test_windows_are_summed_by_their_rows_where_the_whole_was_scored() -> None:
    found = [
        window(0, {"error": 0.5, "error@o=A": 1.0}, rows=10),
        window(1, {"error": None, "error@o=A": 1.0}, rows=10),
        window(2, {"error": 0.25}, rows=20),
    ]
    assert sum_windows(found, watch("error", "performance")) == {
        WatchKey(watch="error"): loss_sum(30, 1 / 3),
        WatchKey(watch="error", slice="o=A"): loss_sum(10, 1.0),
    }


def test_each_sliced_column_explains_the_whole_change() -> None:
    losses = {WatchKey(watch="error"): loss_sum(100, 0.2), WatchKey(watch="error", slice="o=A"): loss_sum(40, 0.2)}
    now = [window(0, {"error": 0.5, "error@o=A": 0.5})]
    parts = slice_parts(alarm("error", now, against=baseline(losses=losses)))
    assert {(part.metric, part.column, part.slice) for part in parts} == {("error", "o", "o=A"), ("error", "o", OTHERS)}
    assert sum(part.total for part in parts) == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("of_slice", "of_all", "segment"),
    [
        (0.70, 0.40, "o=A"),  # all of +20 points
        (0.45, 0.40, ""),  # half of it
        (0.20, 0.40, ""),  # nothing of it
    ],
)
def test_the_slice_from_which_most_of_a_loss_comes_stands_in_the_headline(
    of_slice: float, of_all: float, segment: str
) -> None:
    losses = {WatchKey(watch="error"): loss_sum(100, 0.2), WatchKey(watch="error", slice="o=A"): loss_sum(40, 0.2)}
    now = [window(0, {"error": of_all, "error@o=A": of_slice})]
    now = [replace(each, scores=tuple(_with_rows(score, 40) for score in each.scores)) for each in now]
    cause = explain(alarm("error", now, against=baseline(losses=losses))).alarm
    assert cause.segment == segment
    assert (", mostly where o = A" in alarm_headline(cause)) is bool(segment)


def test_a_loss_of_a_slice_does_not_name_its_slice_again() -> None:
    losses = {WatchKey(watch="error", slice=slice_): loss_sum(100, 0.2) for slice_ in ("", "o=A")}
    found = [window(0, {"error": 0.4, "error@o=A": 0.7})]
    found = [replace(each, scores=tuple(_with_rows(score, 40) for score in each.scores)) for each in found]
    against = baseline(losses=losses, slices=("o=A",))
    assert explain(alarm("error", found, against=against)).alarm.segment == "o=A"
    assert not explain(alarm("error", found, against=against, part="o=A")).alarm.segment


def _with_rows(score: ScoreRecord, rows: int) -> ScoreRecord:
    return replace(score, rows=rows) if score.slice else score


def test_rows_of_a_thin_slice_that_wait_to_be_evaluated_count_with_their_slice() -> None:
    north, whole = WatchKey(watch="error", slice="o=north"), WatchKey(watch="error")
    losses = {
        whole: loss_sum(100, 0.2),
        WatchKey(watch="error", slice="o=A"): loss_sum(90, 0.2),
        north: loss_sum(10, 0.2),
    }
    now = [window(0, {"error": 0.28, "error@o=A": None, "error@o=north": None})]
    waiting = {north: loss_sum(10, 1.0), WatchKey(watch="error", slice="o=A"): loss_sum(90, 0.2)}
    found = replace(alarm("error", now, against=baseline(losses=losses)), waiting=waiting)
    parts = {part.slice: part.loss for part in slice_parts(found)}
    assert parts == {"o=north": pytest.approx(0.08), "o=A": pytest.approx(0.0)}


def test_a_slice_that_is_never_judged_is_among_the_others_before_and_after() -> None:
    losses = {WatchKey(watch="error"): loss_sum(100, 0.2), WatchKey(watch="error", slice="o=A"): loss_sum(90, 0.2)}
    losses[WatchKey(watch="error", slice="o=rare")] = loss_sum(10, 0.2)
    now = [window(0, {"error": 0.2, "error@o=A": 0.2}, rows=90), window(1, {"error": 0.2}, rows=10)]
    found = alarm("error", now, against=baseline(losses=losses, without=["error [o=rare]"]))
    parts = slice_parts(found)
    assert {part.slice for part in parts} == {"o=A", OTHERS}
    assert all(abs(part.mix) < 1e-9 and abs(part.loss) < 1e-9 for part in parts)


def test_what_is_no_loss_is_not_decomposed() -> None:
    losses = {WatchKey(watch="error", slice="o=A"): loss_sum(40, 0.2)}
    assert slice_parts(alarm("missing:z", [window(0, {"missing:z": 0.5})], against=baseline(losses=losses))) == ()


def test_parts_are_in_the_unit_of_the_loss() -> None:
    cost = watch("cost", "performance", scale=10.0)
    losses = {WatchKey(watch="cost"): loss_sum(100, 0.2), WatchKey(watch="cost", slice="o=A"): loss_sum(40, 0.2)}
    against = baseline(losses={})
    against = replace(against, losses=losses, watches={**against.watches, "cost": cost})
    score = BaselineScore(level="page", watch="cost", slice="", mean=2.0, deviation=0.2, tolerance=0.1, windows=60)
    of_slice = replace(score, slice="o=A")
    against = replace(
        against, scores={**against.scores, WatchKey(watch="cost"): score, WatchKey(watch="cost", slice="o=A"): of_slice}
    )
    found = alarm("error", [window(0, {"cost": 5.0, "cost@o=A": 5.0})], against=against)
    parts = slice_parts(replace(found, reading=replace(found.reading, shares=((WatchKey(watch="cost"), 1.0),))))
    assert sum(part.total for part in parts) == pytest.approx(3.0)
