"""Profiles out of columns: the same counts whatever the encoding, the chunks and the batches."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline.predictions import predictions_from
from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.baseline.profile_builder import ProfileBuilder, profile
from monitoring.baseline.sketch import Sketch
from tests.monitoring.baseline.reference_tables import SPEC, table

BINS = (Bins(feature="c", categories=("p", "q")), Bins(feature="x", edges=(-1.0, 0.0, 2.5)))


@given(
    st.lists(st.none() | st.sampled_from(["p", "q", "", "new", "\U0001f600"]), min_size=1, max_size=40),
    st.lists(st.none() | st.floats(), min_size=40, max_size=40),
    st.integers(0, 40),
)
def test_counts_do_not_depend_on_encodings_chunks_and_order(
    words: list[str | None], numbers: list[float | None], cut: int
) -> None:
    builder = ProfileBuilder(BINS)
    columns = pa.table({"c": pa.array(words, pa.string()), "x": pa.array(numbers[: len(words)], pa.float64())})
    whole = builder.count(columns)
    coded = columns.set_column(0, "c", columns["c"].dictionary_encode())
    assert builder.count(pa.concat_tables([coded.slice(0, cut), coded.slice(cut)])) == whole
    shuffled = columns.take(pa.array(np.random.default_rng(cut).permutation(len(words))))
    assert builder.count(shuffled.slice(0, cut)) + builder.count(shuffled.slice(cut)) == whole
    assert ProfileBuilder(BINS, described=False).count(columns) == whole
    for feature in whole.features:
        assert feature.present + feature.missing == whole.rows
    text, number = whole.features
    assert text.others.rows == text.counts[-1]
    assert text.characters == sum(len((word or "").encode()) for word in words)
    assert number.moments.finite + number.moments.infinite == number.present


@given(st.lists(st.integers(0, 60), max_size=4), st.booleans())
def test_a_running_profile_is_that_of_all_its_batches(cuts: list[int], described: bool) -> None:
    rng = np.random.default_rng(3)
    columns = pa.table(
        {"c": rng.choice(["p", "q", "new"], 60).tolist(), "x": pa.array(rng.normal(size=60), mask=rng.random(60) < 0.2)}
    )
    builder = ProfileBuilder(BINS, described=described)
    running = builder.begin()
    ends = sorted([0, *cuts, 60])
    for place, (first, last) in enumerate(pairwise(ends)):
        part = columns.slice(first, last - first)
        running.add(part.set_column(0, "c", part["c"].dictionary_encode()) if place % 2 else part)
    assert running.profile() == builder.count(columns)


def test_a_running_profile_without_rows_counts_none() -> None:
    found = ProfileBuilder(BINS).begin().profile()
    assert found.rows == 0
    assert [(feature.present, feature.missing) for feature in found.features] == [(0, 0), (0, 0)]


def test_a_dictionary_may_hold_values_that_no_row_has_and_null() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 2, 2, None]), pa.array(["p", "never", None]))
    (found,) = ProfileBuilder((Bins(feature="c", categories=("p",)),)).count(pa.table({"c": column})).features
    assert found == FeatureCounts((1, 0), missing=3)
    assert found.others == Sketch()


def test_a_table_without_columns_has_the_rows_that_are_given() -> None:
    none = ProfileBuilder(())
    assert none.columns == 0
    assert none.count(pa.table({}), 7).rows == 7


def test_the_profile_of_predictions_is_that_of_their_columns() -> None:
    rows = predictions_from(table([0.5, None, -2.0], ["p", None, "new"]), SPEC)
    bins = (Bins(feature="x", edges=(0.0,)), Bins(feature="c", categories=("p",)))
    found = profile(rows, bins)
    assert found.features == (FeatureCounts((1, 1), missing=1), FeatureCounts((1, 1), missing=1))
    assert found.rows == 3


@pytest.mark.parametrize("described", [True, False])
def test_moments_and_sketches_are_made_only_where_described(described: bool) -> None:
    columns = pa.table({"c": ["p", "new"], "x": [1.0, 3.0]})
    text, number = ProfileBuilder(BINS, described=described).count(columns).features
    assert (text.others.rows == 1) == described
    assert (number.moments.mean == 2.0) == described
