"""The profile's algebra: whatever the order and the cuts, the same counts; the rest within what it states."""

from __future__ import annotations

from collections import Counter as Counted
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.baseline import sketch as sketch_module
from monitoring.baseline.binning import MIN_CELL_ROWS, Binner
from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins, FeatureCounts
from monitoring.baseline.profile_builder import ProfileBuilder
from monitoring.baseline.sketch import HASHES, KEPT, Sketch, hashed

ANY = st.floats(allow_nan=False, allow_infinity=True)


@given(
    hnp.arrays(np.float64, st.integers(0, 70), elements=st.floats(-1e280, 1e280)),
    hnp.arrays(np.float64, st.integers(0, 50), elements=ANY),
    st.sampled_from([0.0, 1e-300, 1.0, 1e18]),
)
def test_a_ruler_counts_as_a_binary_search(
    edges: NDArray[np.float64], values: NDArray[np.float64], size: float
) -> None:
    edges = np.unique(edges * size if size else np.rint(edges))
    near = [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)] if edges.size else []
    some = np.concatenate([values, *near, [0.0]])
    many = np.resize(some, MIN_CELL_ROWS + some.size)
    expected = np.bincount(np.searchsorted(edges, many, side="right"), minlength=edges.size + 1)
    assert Binner(edges).counts(many).tolist() == expected.tolist()


@given(
    hnp.arrays(np.float64, st.integers(0, 60), elements=st.floats(-1e6, 1e6) | st.sampled_from([np.inf, -np.inf, 0.0])),
    st.lists(st.integers(0, 60), max_size=5),
    st.randoms(use_true_random=False),
)
def test_moments_merge_in_any_order_to_1e_12(values: NDArray[np.float64], cuts: list[int], random: object) -> None:
    ends = [0, *sorted(min(cut, values.size) for cut in cuts), values.size]
    parts = [Moments.of(values[first:last]) for first, last in pairwise(ends)]
    random.shuffle(parts)  # type: ignore[attr-defined]  # Hypothesis's random is a random.Random
    merged, whole = sum(parts, start=Moments()), Moments.of(values)
    for name in ("finite", "infinite", "zeros", "minimum", "maximum"):
        assert getattr(merged, name) == getattr(whole, name)
    finite = values[np.isfinite(values)]
    size = float(np.abs(finite).max()) if finite.size else 0.0
    assert merged.mean == pytest.approx(whole.mean, abs=1e-12 * size)
    assert merged.squares == pytest.approx(whole.squares, abs=1e-12 * size**2 * max(finite.size, 1))
    if finite.size:
        assert whole.std == pytest.approx(float(finite.std()), abs=1e-12 * size)


def _sketch(words: list[str]) -> Sketch:
    counts = Counted(words)
    return Sketch.of(pa.array(list(counts), pa.string()), np.array(list(counts.values()), dtype=np.int64))


@given(
    st.lists(st.sampled_from([*"abcdefghij", *(f"w{place}" for place in range(40))]), max_size=120),
    st.lists(st.integers(0, 120), max_size=4),
    st.randoms(use_true_random=False),
)
def test_a_sketch_keeps_its_bounds_in_any_order(words: list[str], cuts: list[int], random: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(sketch_module, "KEPT", 7)
        patch.setattr(sketch_module, "HASHES", 16)
        ends = [0, *sorted(min(cut, len(words)) for cut in cuts), len(words)]
        parts = [_sketch(words[first:last]) for first, last in pairwise(ends)]
        random.shuffle(parts)  # type: ignore[attr-defined]  # Hypothesis's random is a random.Random
        merged, whole, truth = sum(parts, start=Sketch()), _sketch(words), Counted(words)
        assert merged.rows == len(words)
        assert merged.error * 8 <= len(words)
        kept = dict(merged.kept)
        assert len(kept) <= 7
        for word, count in truth.items():
            assert count - merged.error <= kept.get(word, 0) <= count
        assert (merged.hashes, merged.examples) == (whole.hashes, whole.examples), "to the last bit"
        if len(truth) < 16:
            assert merged.distinct == len(truth)


def test_a_million_words_are_told_apart_to_some_percent_in_bounded_memory() -> None:
    parts = [_sketch([f"w{place}" for place in range(first, first + 50_000)]) for first in range(0, 400_000, 25_000)]
    merged = sum(parts, start=Sketch())
    assert merged.distinct == pytest.approx(425_000, rel=0.1)
    assert (len(merged.kept), len(merged.hashes)) == (0, HASHES)
    assert merged.error <= merged.rows / (KEPT + 1)


def test_hashes_know_nothing_of_slices_and_nothing_is_theirs() -> None:
    words = pa.array(["x", "", "ü", "longer than the others", "", "x"])
    whole = hashed(words)
    assert whole[2:5].tolist() == hashed(words.slice(2, 3)).tolist()
    assert whole[0] == whole[5]
    assert whole[1] == whole[4]
    assert hashed(words.slice(0, 0)).size == 0
    assert hashed(pa.chunked_array([words, words])).tolist() == [*whole.tolist(), *whole.tolist()]


@given(
    st.lists(st.none() | st.sampled_from(["p", "q", "", "new", "\U0001f600"]), min_size=1, max_size=40),
    st.lists(st.none() | st.floats(), min_size=40, max_size=40),
    st.integers(0, 40),
)
def test_counting_knows_nothing_of_encodings_chunks_and_order(
    words: list[str | None], numbers: list[float | None], cut: int
) -> None:
    counter = ProfileBuilder((Bins(feature="c", categories=("p", "q")), Bins(feature="x", edges=(-1.0, 0.0, 2.5))))
    table = pa.table({"c": pa.array(words, pa.string()), "x": pa.array(numbers[: len(words)], pa.float64())})
    whole = counter.count(table)
    coded = table.set_column(0, "c", table["c"].dictionary_encode())
    assert counter.count(pa.concat_tables([coded.slice(0, cut), coded.slice(cut)])) == whole
    shuffled = table.take(pa.array(np.random.default_rng(cut).permutation(len(words))))
    assert counter.count(shuffled.slice(0, cut)) + counter.count(shuffled.slice(cut)) == whole
    bare = ProfileBuilder(
        (Bins(feature="c", categories=("p", "q")), Bins(feature="x", edges=(-1.0, 0.0, 2.5))), described=False
    )
    assert bare.count(table) == whole
    for feature in whole.features:
        assert feature.present + feature.missing == whole.rows
    text, number = whole.features
    assert text.others.rows == text.counts[-1]
    assert text.characters == sum(len((word or "").encode()) for word in words)
    assert number.moments.finite + number.moments.infinite == number.present


def test_a_dictionary_may_hold_words_that_no_row_has_and_null() -> None:
    column = pa.DictionaryArray.from_arrays(pa.array([0, 2, 2, None]), pa.array(["p", "never", None]))
    (found,) = ProfileBuilder((Bins(feature="c", categories=("p",)),)).count(pa.table({"c": column})).features
    assert found == FeatureCounts((1, 0), missing=3)
    assert found.others == Sketch()
