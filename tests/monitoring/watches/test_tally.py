from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp

from monitoring.records import SCORE_ONE
from monitoring.watches.estimates import ExpectedLoss
from monitoring.watches.tally import LossSum, Tally

UNIT = st.floats(0.0, 1.0)
COUNTS = st.integers(0, 2**40)
TALLIES = st.one_of(
    st.just(Tally()),
    st.builds(
        lambda rows, losses: Tally({"rows": np.array(rows), "losses": np.array(losses)}),
        COUNTS,
        st.lists(COUNTS, min_size=3, max_size=3),
    ),
)


def as_numbers(tally: Tally) -> tuple[int, tuple[int, ...]]:
    return tally.number("rows"), tally.numbers("losses")


@given(TALLIES, TALLIES, TALLIES)
def test_tallies_add_up_in_any_order_and_the_tally_of_no_rows_adds_nothing(
    one: Tally, two: Tally, three: Tally
) -> None:
    assert as_numbers((one + two) + three) == as_numbers(one + (two + three))
    assert as_numbers(one + two) == as_numbers(two + one)
    assert as_numbers(one + Tally()) == as_numbers(one) == as_numbers(Tally() + one)


@given(TALLIES, TALLIES)
def test_a_sum_leaves_its_terms_as_they_were(one: Tally, two: Tally) -> None:
    before = as_numbers(one), as_numbers(two)
    one + two
    assert (as_numbers(one), as_numbers(two)) == before


def test_arrays_of_any_shape_are_read_flat_and_no_rows_have_no_numbers() -> None:
    tally = Tally({"confusion": np.arange(4).reshape(2, 2)})
    assert tally.numbers("confusion") == (0, 1, 2, 3)
    assert (Tally().number("rows"), Tally().numbers("confusion")) == (0, ())


def test_a_name_that_was_not_tallied_is_an_error() -> None:
    with pytest.raises(KeyError):
        Tally({"rows": np.array(1)}).number("losses")


@given(st.integers(0, 1000), UNIT, UNIT)
def test_rows_that_are_all_alike_have_the_sum_of_so_many_rows(rows: int, loss: float, variance: float) -> None:
    each = ExpectedLoss(losses=np.full(rows, loss), variances=np.full(rows, variance))
    assert LossSum.constant(rows, loss, variance) == LossSum.of(each)


@given(hnp.arrays(np.float64, st.integers(0, 200), elements=UNIT), st.integers(0, 10**6))
def test_the_order_of_rows_does_not_change_a_loss_sum(losses: np.ndarray, seed: int) -> None:
    order = np.random.default_rng(seed).permutation(losses.size)
    one = LossSum.of(ExpectedLoss(losses=losses, variances=losses / 2))
    assert LossSum.of(ExpectedLoss(losses=losses[order], variances=losses[order] / 2)) == one
    assert one.rows == losses.size
    assert one.losses / SCORE_ONE == pytest.approx(losses.sum(), abs=losses.size / SCORE_ONE)
