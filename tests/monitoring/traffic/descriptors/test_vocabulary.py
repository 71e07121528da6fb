"""Which words a reference knows, part by part: judged on its own rows as on live ones, and without the words."""

from __future__ import annotations

import json

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.descriptors.vocabulary import BUCKETS, MOST_PARTS, HashedVocabulary, part_ends

DAY = 86_400_000_000
PARTS = 40


def drawn(rng: np.random.Generator, words: int, *, rows: int) -> pa.Array:
    return pa.array([f"w{number}" for number in np.minimum(rng.zipf(1.3, rows), words)])


def test_a_word_of_one_part_is_unknown_to_that_part_alone() -> None:
    words = pa.array(["red", "car", "red", "van"])
    known = HashedVocabulary.fit([(words, np.array([0, 0, 1, 1]))], parts=2)
    asked = pa.array(["red", "red", "car", "car", "bus", "bus"])
    expected = [False, False, True, False, True, True]
    assert known.unknown(asked, np.array([0, 1, 0, 1, 0, 1])).tolist() == expected


def test_pieces_in_any_order_are_the_same_vocabulary() -> None:
    words, parts = pa.array(["a", "b", "a", "c", "b"]), np.array([0, 1, 2, 2, 1])
    whole = HashedVocabulary.fit([(words, parts)], parts=3)
    pieces = [(words[3:], parts[3:]), (words[:3], parts[:3])]
    assert np.array_equal(HashedVocabulary.fit(pieces, parts=3).states, whole.states)


def test_live_words_are_as_unknown_as_those_of_the_reference_were() -> None:
    """The share of new words of the reference's own rows is that of later rows of the same source."""
    rng = np.random.default_rng(5)
    rows, words = 60_000, 20_000
    reference, parts = drawn(rng, words, rows=rows), np.repeat(np.arange(PARTS), rows // PARTS)
    known = HashedVocabulary.fit([(reference, parts)], parts=PARTS)
    own = known.unknown(reference, parts).mean()
    live = drawn(rng, words, rows=rows)
    later = known.unknown(live, rng.integers(0, PARTS, rows)).mean()
    assert own > 0.02
    assert later == pytest.approx(own, abs=4 * np.sqrt(own / rows))


def test_texts_are_spread_over_all_parts() -> None:
    known = HashedVocabulary.fit([], parts=7)
    counts = np.bincount(known.parts_of(pa.array([f"text {number}" for number in range(7_000)])), minlength=7)
    assert counts.size == 7
    assert counts.min() > 850


def test_it_is_read_as_it_was_written_and_holds_no_word() -> None:
    words = pa.array(["confidential", "words"])
    known = HashedVocabulary.fit([(words, np.array([0, 3]))], parts=4)
    text = json.dumps(known.document())
    read = HashedVocabulary.of(json.loads(text))
    assert (read.parts, read.states.tolist()) == (4, known.states.tolist())
    assert "confidential" not in text
    assert len(text) < BUCKETS // 100


def test_a_damaged_one_is_refused() -> None:
    document = HashedVocabulary(states=np.zeros(8, np.uint8), parts=1).document()
    with pytest.raises(ValueError, match="8 hashes"):
        HashedVocabulary.of(document)


def test_the_parts_of_a_reference_are_its_days() -> None:
    times = np.arange(30).repeat(5) * DAY + 17
    assert list(part_ends(times, DAY, fewest=20)) == [day * DAY for day in range(1, 30)]


def test_many_days_are_joined() -> None:
    ends = part_ends(np.arange(4 * MOST_PARTS) * DAY, DAY, fewest=20)
    assert len(ends) == MOST_PARTS - 1
    assert set(np.diff(ends)) == {4 * DAY}


def test_a_few_days_are_cut_into_parts_of_as_many_rows() -> None:
    ends = part_ends(np.arange(100), DAY, fewest=20)
    assert np.bincount(np.searchsorted(ends, np.arange(100), side="right")).tolist() == [5] * 20


@given(st.lists(st.integers(0, 50 * DAY), max_size=60))
def test_parts_are_in_order_and_few(times: list[int]) -> None:
    ends = list(part_ends(np.array(times, dtype=np.int64), DAY, fewest=20))
    assert ends == sorted(set(ends))
    assert len(ends) < MOST_PARTS
