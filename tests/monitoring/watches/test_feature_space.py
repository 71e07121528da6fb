"""The feature space of the joint watch: integers, the same in any order and on any machine."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import Predictions
from monitoring.baseline.profile import Bins, FeatureCounts, fit_bins
from monitoring.baseline.profile_builder import profile
from monitoring.baseline.reference import InMemoryReference
from monitoring.baseline.spec import BaselineSpec, FeatureSpec
from monitoring.watches.feature_space import (
    CLIPPING_BOUND,
    FOURIER_FEATURES,
    MAX_CATEGORY_VALUES,
    MAX_COORDINATES,
    MAX_PRODUCTS,
    STEPS_PER_STD,
    FeatureSpace,
    columns_of,
    coordinates,
    inputs_of,
)

SPEC = BaselineSpec(
    classes=("no", "yes"),
    features=(
        FeatureSpec(name="one", kind="number"),
        FeatureSpec(name="other", kind="number"),
        FeatureSpec(name="place", kind="category"),
    ),
)


def rows(count: int, seed: int = 0, spec: BaselineSpec = SPEC) -> Predictions:
    rng = np.random.default_rng(seed)
    columns = {
        feature.name: rng.normal(size=count)
        if feature.kind == "number"
        else rng.choice(["a", "b", "c"], count).tolist()
        for feature in spec.features
    }
    return Predictions(
        ids=pa.array([str(row) for row in range(count)]),
        event_times=np.arange(count) * 1_000,
        features=pa.table(columns),
        probabilities=np.full((count, 2), 0.5),
        labels=np.full(count, -1),
        label_times=np.zeros(count, np.int64),
    )


def space_of(reference: Predictions, spec: BaselineSpec = SPEC, unwatched: tuple[str, ...] = ()) -> FeatureSpace | None:
    bins = fit_bins(reference, spec)
    return FeatureSpace.fit(bins, profile(reference, bins).features, InMemoryReference(reference), unwatched=unwatched)


@pytest.fixture(scope="module")
def space() -> FeatureSpace:
    found = space_of(rows(2_000))
    assert found is not None
    return found


def test_points_are_whole_sixteenths_within_four_standard_deviations(space: FeatureSpace) -> None:
    points = space.points(rows(500, seed=1))
    assert points.shape == (500, space.size)
    np.testing.assert_array_equal(points, np.rint(points))
    assert np.abs(points).max() <= CLIPPING_BOUND


def test_the_baselines_own_points_have_mean_zero_and_standard_deviation_one(space: FeatureSpace) -> None:
    points = space.points(rows(2_000)) / STEPS_PER_STD
    np.testing.assert_allclose(points.mean(axis=0), 0.0, atol=0.06)
    np.testing.assert_allclose(points.std(axis=0), 1.0, atol=0.12)


@given(order=st.permutations(range(30)))
def test_a_rows_point_does_not_depend_on_the_others(order: list[int], space: FeatureSpace) -> None:
    some = rows(30, seed=2)
    np.testing.assert_array_equal(space.points(some.take(np.array(order))), space.points(some)[order])
    np.testing.assert_array_equal(space.points(some.take(np.arange(3))), space.points(some)[:3])


def test_the_same_baseline_has_the_same_space(space: FeatureSpace) -> None:
    again = space_of(rows(2_000))
    assert again is not None
    np.testing.assert_array_equal(again.directions, space.directions)
    np.testing.assert_array_equal(again.points(rows(50, seed=3)), space.points(rows(50, seed=3)))


def test_products_are_of_different_inputs(space: FeatureSpace) -> None:
    owners = [one.bins.feature for one in space.coordinates]
    assert all(owners[a] != owners[b] for a, b in space.pairs.tolist())
    assert space.size == len(space.pairs) + FOURIER_FEATURES


def test_an_input_that_no_other_watch_sees_is_in_the_space_by_itself() -> None:
    alone = space_of(rows(500), unwatched=("other",))
    assert alone is not None
    owners = [alone.coordinates[index].bins.feature for index in alone.single.tolist()]
    assert set(owners) == {"other"}
    assert alone.size == len(alone.pairs) + FOURIER_FEATURES + len(owners)


@pytest.mark.parametrize("count", [0, 1])
def test_fewer_than_two_inputs_have_no_space(count: int) -> None:
    spec = BaselineSpec(classes=SPEC.classes, features=SPEC.features[:count])
    assert space_of(rows(100, spec=spec), spec) is None


def test_inputs_that_never_varied_are_no_coordinates() -> None:
    constant = rows(100)
    table = constant.features.set_column(0, "one", pa.array(np.zeros(100)))
    still = Predictions(**{**{name: getattr(constant, name) for name in constant.__slots__}, "features": table})
    bins = fit_bins(still, SPEC)
    assert inputs_of(coordinates(bins, profile(still, bins).features)) == ("other", "place")


def test_a_missing_value_has_the_mean_of_its_coordinate() -> None:
    bins = (Bins(feature="x", edges=(0.0,)), Bins(feature="c", categories=("a", "b")))
    counts = (FeatureCounts((30, 70)), FeatureCounts((50, 40, 10)))
    table = pa.table({"x": [float("nan"), -1.0], "c": pa.array([None, "a"], pa.string())})
    encoded = table.set_column(1, "c", table["c"].dictionary_encode())
    chosen = coordinates(bins, counts)
    for values, again in zip(columns_of(chosen, table), columns_of(chosen, encoded), strict=True):
        assert values[0] == 0.0
        assert values[1] != 0.0
        assert again.tolist() == values.tolist()


def test_a_space_is_bounded_whatever_the_inputs() -> None:
    spec = BaselineSpec(
        classes=SPEC.classes, features=tuple(FeatureSpec(name=f"x{place}", kind="number") for place in range(60))
    )
    found = space_of(rows(200, spec=spec), spec)
    assert found is not None
    assert (len(found.coordinates), len(found.pairs)) == (MAX_COORDINATES, MAX_PRODUCTS)
    many = Bins(feature="c", categories=tuple("abcdefgh"))
    assert len(coordinates((many,), (FeatureCounts((20,) * 8 + (0,)),))) == MAX_CATEGORY_VALUES
