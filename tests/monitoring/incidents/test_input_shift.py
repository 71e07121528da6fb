"""How an input moved, in its own unit."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.moments import NO_MOMENTS, Moments
from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.incidents.input_shift import category_shift, number_shift
from monitoring.records import BinnedNumber

RNG = np.random.default_rng(0)
AGES = RNG.normal(38.0, 9.0, 20_000)
AGE = Bins(feature="age", edges=tuple(np.quantile(AGES, np.linspace(0, 1, 65)[1:-1]).tolist()))
ROUTE = Bins(feature="route", categories=("north", "south"))


def counted(values: np.ndarray, bins: Bins = AGE, *, moments: bool = True) -> FeatureCounts:
    places = np.searchsorted(np.asarray(bins.edges), values, side="right")
    counts = tuple(np.bincount(places, minlength=bins.places).tolist())
    return FeatureCounts(counts, moments=Moments.of(values) if moments else NO_MOMENTS)


BEFORE = counted(AGES)


@given(st.floats(-15.0, 15.0))
def test_the_median_of_a_number_moves_as_its_values_do(by: float) -> None:
    found = number_shift(AGE, BEFORE, counted(AGES[:4000] + by), "location")
    assert found is None or found.before[0].value == pytest.approx(38.0, abs=0.3)
    if abs(by) > 1.0:
        assert found is not None
        assert found.now[0].value == pytest.approx(38.0 + by, abs=0.5)
        assert found.rose is (by > 0.0)


@pytest.mark.parametrize(("by", "beyond"), [(100.0, "above"), (-100.0, "below")])
def test_of_a_median_beyond_the_bins_the_edge_and_the_mean_are_known(by: float, beyond: str) -> None:
    now = counted(AGES[:400] + by)
    shift = number_shift(AGE, BEFORE, now, "location")
    assert shift is not None
    assert (shift.what, shift.rose, shift.before) == ("median", by > 0.0, (BinnedNumber(value=37.95),))
    assert (shift.now[0].beyond, shift.mean) == (beyond, float(f"{now.moments.mean:.9g}"))
    shift = number_shift(AGE, BEFORE, counted(AGES[:400] + by, moments=False), "location")
    assert shift is not None
    assert (shift.now[0].beyond, shift.mean) == (beyond, None)


def test_of_a_spread_the_middle_half_is_said() -> None:
    found = number_shift(AGE, BEFORE, counted(38.0 + 2.0 * (AGES[:4000] - 38.0)), "spread")
    assert found is not None
    assert (found.what, found.rose) == ("middle half", None)
    low, high = (end.value for end in found.now)
    assert (low, high) == pytest.approx((38.0 - 12.1, 38.0 + 12.1), abs=0.6)


def test_of_a_category_the_value_is_named_whose_share_moved_most() -> None:
    found = category_shift(ROUTE, FeatureCounts((60, 40, 0)), FeatureCounts((20, 70, 10)), None)
    assert found is not None
    assert (found.what, found.category, found.rose) == ("category", "north", False)
    assert (found.before[0].value, found.now[0].value) == (0.6, 0.2)


def test_of_a_long_tail_the_values_are_named_that_the_baseline_never_had() -> None:
    now = FeatureCounts((50, 40, 110), unseen=98)
    found = category_shift(ROUTE, FeatureCounts((60, 40, 100)), now, 0.26)
    assert found is not None
    assert (found.what, found.category, found.rose) == ("unseen", "", True)
    assert (found.before[0].value, found.now[0].value) == (0.26, 0.49)


def test_where_nothing_moved_or_nothing_is_there_nothing_is_said() -> None:
    nothing = FeatureCounts((0,) * AGE.places)
    assert number_shift(AGE, BEFORE, BEFORE, "location") is None
    assert number_shift(AGE, BEFORE, nothing, "location") is None
    assert (
        number_shift(Bins(feature="flag", edges=(1.0,)), FeatureCounts((1, 1)), FeatureCounts((1, 9)), "spread") is None
    )
    assert category_shift(ROUTE, FeatureCounts((6, 4, 0)), FeatureCounts((12, 8, 0)), None) is None
    assert category_shift(ROUTE, FeatureCounts((6, 4, 0)), FeatureCounts((0, 0, 0)), None) is None


def test_a_number_that_became_constant_is_said_so_with_its_own_value() -> None:
    found = number_shift(AGE, BEFORE, counted(np.full(300, 58.0)), "location")
    assert found is not None
    assert (found.what, found.now, found.rows) == ("constant", (BinnedNumber(value=58.0),), 300)
    same = counted(np.full(300, 38.0))
    shift = number_shift(AGE, same, counted(np.full(300, 58.0)), "location")
    assert shift is not None
    assert shift.what == "median", "the baseline's were constant too"
    one = number_shift(AGE, BEFORE, counted(np.full(1, 58.0)), "location")
    assert one is None or one.what == "median", "one value is no constant"


def test_a_category_that_became_constant_is_said_so() -> None:
    found = category_shift(ROUTE, FeatureCounts((60, 40, 0)), FeatureCounts((0, 50, 0)), 0.1)
    assert found is not None
    assert (found.what, found.category, found.rows, found.before[0].value) == ("constant", "south", 50, 0.4)
    other = category_shift(ROUTE, FeatureCounts((60, 40, 0)), FeatureCounts((1, 50, 0)), None)
    assert other is not None
    assert other.what == "category"
