"""Counts on bins are those of a binary search, in C and by numpy."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from fractions import Fraction

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from numpy.typing import NDArray

from monitoring.baseline import binning as module
from monitoring.baseline.binning import MIN_CELL_ROWS, Binner
from monitoring.baseline.moments import Moments
from monitoring.baseline.profile import Bins
from monitoring.baseline.profile_builder import ProfileBuilder

TYPES = (
    (pa.float32(), st.floats(width=32)),
    (pa.float64(), st.floats() | st.sampled_from([0.0, -0.0, np.inf, -np.inf, np.nan, 1.0, 2.0])),
    (pa.int8(), st.integers(-128, 127)),
    (pa.int16(), st.integers(-(2**15), 2**15 - 1)),
    (pa.int32(), st.integers(-(2**31), 2**31 - 1)),
    (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
    (pa.uint8(), st.integers(0, 255)),
    (pa.uint16(), st.integers(0, 2**16 - 1)),
    (pa.uint32(), st.integers(0, 2**32 - 1)),
    (pa.uint64(), st.integers(0, 2**64 - 1)),  # which C leaves to numpy
)

ANY = st.floats(allow_nan=False, allow_infinity=True)

IN_C = pytest.mark.skipif(module.compiled is None, reason="the module in C was not compiled")


@contextmanager
def numpy_alone() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        for name in ("compiled", "compiled_places", "compiled_sum"):
            patch.setattr(module, name, None)
        yield


@st.composite
def columns(draw: st.DrawFn) -> pa.Array:
    kind, values = draw(st.sampled_from(TYPES))
    cells = pa.array(draw(st.lists(st.none() | values, min_size=1, max_size=60)), kind)
    if draw(st.booleans()):  # enough for cells, and no whole number of blocks
        cells = pa.concat_arrays([cells] * (MIN_CELL_ROWS // len(cells) + 1))
    return cells.slice(draw(st.integers(0, len(cells))))


def close(one: Moments, other: Moments) -> bool:
    exact = ("finite", "infinite", "zeros", "minimum", "maximum")
    if any(getattr(one, name) != getattr(other, name) for name in exact):
        return False
    known = [abs(value) for value in (other.minimum, other.maximum) if np.isfinite(value)]
    size = max(known, default=0.0) if not other.infinite else np.inf
    if size > 1e150:  # where squares overflow, and what is left is moments by neither
        return True
    return one.mean == pytest.approx(other.mean, abs=1e-12 * size) and one.squares == pytest.approx(
        other.squares, abs=1e-12 * size**2 * max(other.finite, 1)
    )


@given(
    hnp.arrays(np.float64, st.integers(0, 70), elements=st.floats(-1e280, 1e280)),
    hnp.arrays(np.float64, st.integers(0, 50), elements=ANY),
    st.sampled_from([0.0, 1e-300, 1.0, 1e18]),
)
def test_counts_and_bins_are_those_of_a_binary_search(
    edges: NDArray[np.float64], values: NDArray[np.float64], size: float
) -> None:
    edges = np.unique(edges * size if size else np.rint(edges))
    near = [edges, np.nextafter(edges, -np.inf), np.nextafter(edges, np.inf)] if edges.size else []
    some = np.concatenate([values, *near, [0.0]])
    for many in (some, np.resize(some, MIN_CELL_ROWS + some.size)):
        expected = np.searchsorted(edges, many, side="right")
        assert Binner(edges).places(many).tolist() == expected.tolist()
        assert Binner(edges).counts(many).tolist() == np.bincount(expected, minlength=edges.size + 1).tolist()
        with numpy_alone():
            assert Binner(edges).places(many).tolist() == expected.tolist()


@IN_C
@settings(deadline=None)
@given(
    hnp.arrays(np.float64, st.integers(0, 70), elements=st.floats(-1e200, 1e200) | st.integers(-300, 300).map(float)),
    columns(),
)
def test_c_counts_as_numpy_does_and_describes_to_1e_12(edges: NDArray[np.float64], column: pa.Array) -> None:
    edges = np.unique(edges)
    found = []
    for alone in (False, True):
        counts = np.zeros(edges.size + 1, dtype=np.int64)
        if alone:
            with numpy_alone():
                moments = Binner(edges).add(column, counts, described=True)
        else:
            moments = Binner(edges).add(column, counts, described=True)
        found.append((counts.tolist(), moments))
    assert found[0][0] == found[1][0]
    values = column.to_numpy(zero_copy_only=False).astype(np.float64)
    assert sum(found[0][0]) == int((~np.isnan(values)).sum())
    assert close(found[0][1], found[1][1]), found


@IN_C
@pytest.mark.parametrize(
    "values",
    [
        np.full(5_000, 0.1),
        np.append(1e9, np.random.default_rng(0).normal(size=5_000)),
        np.append(np.random.default_rng(0).normal(size=5_000), 1e9),
        np.sort(np.random.default_rng(0).exponential(size=50_000)) ** 8,
        np.random.default_rng(0).normal(size=50_000) + 1e6,
        np.repeat([1.0, -3e5, 7.0], 1_500),
    ],
    ids=["one value", "an outlier first", "an outlier last", "sorted", "far from zero", "steps"],
)
def test_squares_lose_no_more_than_three_digits_however_values_come(values: NDArray[np.float64]) -> None:
    moments = Binner(np.array([0.0])).add(pa.array(values), np.zeros(2, dtype=np.int64), described=True)
    exact = [Fraction(value) for value in values.tolist()]
    mean = sum(exact) / len(exact)
    assert moments.mean == pytest.approx(float(mean), rel=1e-12)
    assert moments.squares == pytest.approx(float(sum((value - mean) ** 2 for value in exact)), rel=1e-12, abs=0.0)


@IN_C
def test_squares_of_the_largest_floats_are_infinite() -> None:
    moments = Binner(np.array([0.0])).add(pa.array([-1.7e308, 1.7e308]), np.zeros(2, dtype=np.int64), described=True)
    assert (moments.finite, moments.squares) == (2, np.inf)


def test_more_bins_than_c_counts_are_counted_all_the_same() -> None:
    edges = np.linspace(-3, 3, 1000)
    values = np.random.default_rng(0).normal(size=10_000)
    counts = np.zeros(1001, dtype=np.int64)
    Binner(edges).add(pa.array(values), counts, described=False)
    assert counts.tolist() == np.bincount(np.searchsorted(edges, values, side="right"), minlength=1001).tolist()


def test_counting_in_batches_is_counting_at_once_with_and_without_c() -> None:
    rng = np.random.default_rng(1)
    values = rng.normal(size=100_000).astype(np.float32)
    words = rng.choice(["a", "b", "c", "d"], values.size)
    table = pa.table({"x": pa.array(values, mask=rng.random(values.size) < 0.1), "w": pa.array(words)})
    bins = (Bins(feature="x", edges=(-1.0, 0.0, 1.5)), Bins(feature="w", categories=("b", "a")))
    whole = ProfileBuilder(bins).count(table)
    with numpy_alone():
        assert ProfileBuilder(bins).count(table) == whole
    counting = ProfileBuilder(bins).begin()
    first = counting.profile()
    assert (first.rows, first.features[0].present, first.features[1].present) == (0, 0, 0)
    for at in range(0, len(values), 30_000):
        part = table.slice(at, 30_000)
        other = part.set_column(1, "w", part["w"].dictionary_encode()) if at % 60_000 else part
        counting.add(other)
    assert counting.profile() == whole
    text = counting.profile().features[1]
    assert (dict(text.others.word_counts), text.characters) == (dict(whole.features[1].others.word_counts), 100_000)


@IN_C
@pytest.mark.parametrize(
    "wrong",
    [
        {"edges": np.array([0.0])},
        {"before": np.array([0, 0, 9], np.uint16)},
        {"last": 7},
        {"bins": np.zeros(1, np.int64)},
    ],
)
def test_c_places_nothing_in_buffers_that_do_not_hold_what_is_claimed(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {
        "values": np.arange(10.0),
        "before": np.array([0, 0, 1], np.uint16),
        "edges": np.array([4.0, np.nan]),
        "first": 4.0,
        "scale": 1.0,
        "last": 2,
        "bins": np.zeros(10, np.int64),
    }
    assert module.compiled_places is not None
    module.compiled_places(*right.values())
    assert np.asarray(right["bins"]).tolist() == [0] * 4 + [1] * 6
    with pytest.raises(ValueError, match=r"buffers do not hold|more edges"):
        module.compiled_places(*(right | wrong).values())


@IN_C
@pytest.mark.parametrize(
    "wrong",
    [
        {"kind": "?"},
        {"length": 11},
        {"offset": -1},
        {"edges": np.array([0.0])},
        {"edges": np.full(300, np.nan)},
        {"before": np.array([0, 0, 9], np.uint16), "last": 2},
        {"last": 7},
        {"counts": np.zeros(1, np.int64)},
        {"valid": b""},
    ],
)
def test_c_refuses_buffers_that_do_not_hold_what_is_claimed(wrong: dict[str, object]) -> None:
    right: dict[str, object] = {
        "data": np.arange(10.0),
        "valid": None,
        "kind": "d",
        "offset": 0,
        "length": 10,
        "before": np.zeros(1, np.uint16),
        "edges": np.array([4.0, np.nan]),
        "first": 0.0,
        "scale": 0.0,
        "last": 0,
        "counts": np.zeros(2, np.int64),
        "described": True,
    }
    assert module.compiled is not None
    assert module.compiled(*right.values())[1:4] == (10, 0, 1)
    assert np.asarray(right["counts"]).tolist() == [4, 6]
    with pytest.raises(ValueError, match=r"buffers do not hold|not counted here|more edges"):
        module.compiled(*(right | wrong).values())


def test_the_c_extension_is_there_where_it_can_be_compiled() -> None:
    if shutil.which("cc") is None:
        pytest.skip("there is no compiler, so numpy counts")
    assert module.compiled is not None, "run `.ci/install .venv`, or `python setup.py build_ext --inplace`"
