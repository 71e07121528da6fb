from __future__ import annotations

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st

from monitoring.incidents.decomposition import OTHERS, decomposed, divided
from monitoring.records import SCORE_ONE, ScoreSum, WatchKey


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
    parts = decomposed(before, after)
    assert sum(part.total for part in parts) == pytest.approx(last.mean - first.mean, abs=1e-12)
    assert {part.slice for part in parts} == {*before, *after}


@given(sides())
def test_nothing_changed_is_nothing_explained(side: dict[str, ScoreSum]) -> None:
    for part in decomposed(side, side):
        assert part.mix == 0
        assert part.loss == 0


def test_a_slice_that_got_worse_is_told_from_one_that_came_more_often() -> None:
    before = {"a": ScoreSum(80, 8 * SCORE_ONE), "b": ScoreSum(20, 10 * SCORE_ONE)}
    worse = {"a": ScoreSum(80, 24 * SCORE_ONE), "b": ScoreSum(20, 10 * SCORE_ONE)}
    often = {"a": ScoreSum(40, 4 * SCORE_ONE), "b": ScoreSum(60, 30 * SCORE_ONE)}
    a, b = decomposed(before, worse)
    assert (a.slice, a.mix, b.total) == ("a", 0.0, 0.0)
    assert a.loss == pytest.approx(0.16)
    assert sum(part.mix for part in decomposed(before, often)) == pytest.approx(0.16)
    assert all(abs(part.loss) < 1e-12 for part in decomposed(before, often))


def test_rows_in_no_watched_slice_are_the_others() -> None:
    sums = {WatchKey(watch="error"): ScoreSum(10, 5), WatchKey(watch="error", slice="o=A"): ScoreSum(6, 4)}
    assert divided(sums, "error", "o") == {"o=A": ScoreSum(6, 4), OTHERS: ScoreSum(4, 1)}
