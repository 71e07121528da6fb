"""Text values in bounded memory: counts within stated bounds, whatever the order."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.baseline import sketch as module
from monitoring.baseline.sketch import EXAMPLES, HASHES, KEPT, Sketch, hashed

#: Stored profiles of one window are merged with those of others, perhaps of another machine.
FIXED = ["0x0", "0xee8c2baf6343e5c3", "0x3a975e3068f96086"]


def sketch_of(words: list[str]) -> Sketch:
    counts = Counter(words)
    return Sketch.of(pa.array(list(counts), pa.string()), np.array(list(counts.values()), dtype=np.int64))


@given(
    st.lists(st.sampled_from([*"abcdefghij", *(f"w{place}" for place in range(40))]), max_size=120),
    st.lists(st.integers(0, 120), max_size=4),
    st.randoms(use_true_random=False),
)
def test_a_sketch_keeps_its_bounds_in_any_order(words: list[str], cuts: list[int], random: object) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(module, "KEPT", 7)
        patch.setattr(module, "HASHES", 16)
        patch.setattr(module, "EXAMPLES", 4)
        ends = [0, *sorted(min(cut, len(words)) for cut in cuts), len(words)]
        parts = [sketch_of(words[first:last]) for first, last in pairwise(ends)]
        random.shuffle(parts)  # type: ignore[attr-defined]  # Hypothesis's random is a random.Random
        merged, whole, truth = sum(parts, start=Sketch()), sketch_of(words), Counter(words)
        assert merged.rows == len(words)
        assert merged.error * 8 <= len(words)
        kept = dict(merged.word_counts)
        assert len(kept) <= 7
        for word, count in truth.items():
            assert count - merged.error <= kept.get(word, 0) <= count
        assert (merged.hashes, merged.examples) == (whole.hashes, whole.examples), "to the last bit"
        if len(truth) < 16:
            assert merged.distinct == len(truth)


@given(st.lists(st.text(max_size=4), max_size=60))
def test_few_values_are_exact(words: list[str]) -> None:
    found = sketch_of(words)
    assert dict(found.word_counts) == dict(Counter(words))
    assert found.error == 0
    assert found.distinct == len(set(words))
    assert set(found.examples) <= set(words)
    assert len(found.examples) == min(len(set(words)), EXAMPLES)


def test_many_values_are_told_apart_to_some_percent_in_bounded_memory() -> None:
    parts = [sketch_of([f"w{place}" for place in range(first, first + 50_000)]) for first in range(0, 400_000, 25_000)]
    merged = sum(parts, start=Sketch())
    assert merged.distinct == pytest.approx(425_000, rel=0.1)
    assert (len(merged.word_counts), len(merged.hashes)) == (0, HASHES)
    assert merged.error <= merged.rows / (KEPT + 1)


def test_a_common_value_among_many_rare_ones_is_kept() -> None:
    words = [f"w{place}" for place in range(3 * KEPT)] + ["common"] * 50
    found = sketch_of(words)
    assert found.word_counts[0][0] == "common"
    assert 50 - found.error <= found.word_counts[0][1] <= 50


def test_hashes_do_not_depend_on_slices() -> None:
    words = pa.array(["x", "", "ü", "longer than the others", "", "x"])
    whole = hashed(words)
    assert whole[2:5].tolist() == hashed(words.slice(2, 3)).tolist()
    assert whole[0] == whole[5]
    assert whole[1] == whole[4]
    assert hashed(words.slice(0, 0)).size == 0
    assert hashed(pa.chunked_array([words, words])).tolist() == [*whole.tolist(), *whole.tolist()]


def test_hashes_are_the_same_on_every_machine() -> None:
    assert [hex(number) for number in hashed(pa.array(["", "a", "EWR"])).tolist()] == FIXED
