"""Keys of ids: equal for equal ids and for no others, however the ids are stored."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from monitoring.traffic.id_keys import AT_ONCE, IdSet, id_keys, is_member

IDS = st.lists(st.text(st.characters(exclude_categories=["Cs"]), max_size=20), max_size=20)


@given(IDS)
def test_ids_have_equal_keys_exactly_if_they_are_equal(ids: list[str]) -> None:
    found = id_keys(pa.array(ids, pa.string())).tolist()
    assert len(set(zip(ids, found, strict=True))) == len(set(ids)) == len(set(found))


@given(IDS, st.integers(0, 20), st.integers(0, 20))
def test_a_key_depends_on_nothing_but_its_id(ids: list[str], first: int, count: int) -> None:
    whole = pa.array(ids, pa.string())
    expected = id_keys(whole)[first : first + count].tolist()
    assert id_keys(whole.slice(first, count)).tolist() == expected
    assert id_keys(whole.cast(pa.large_string()).slice(first, count)).tolist() == expected
    assert [id_keys(pa.array([each])).item() for each in ids[first : first + count]] == expected


def test_many_ids_have_the_keys_that_each_has_alone() -> None:
    ids = pa.array([f"prediction-{number}" for number in range(2 * AT_ONCE + 3)])
    keys = id_keys(ids)
    for place in (0, AT_ONCE - 1, AT_ONCE, 2 * AT_ONCE, 2 * AT_ONCE + 2):
        assert keys[place] == id_keys(ids.slice(place, 1)).item()
    assert len(np.unique(keys)) == len(ids)


def test_keys_do_not_change_between_versions() -> None:
    """They are kept on disk beside the labels of a table."""
    assert id_keys(pa.array(["", "a", "flights-1:0", "x" * 33])).tolist() == [
        0,
        1454147821195669308,
        -6533462543916390265,
        -6636740004392687925,
    ]


@given(IDS, IDS)
def test_wanted_ids_are_found_among_others(wanted: list[str], ids: list[str]) -> None:
    found = IdSet(pa.array(wanted, pa.string())).contains(pa.array(ids, pa.string()))
    assert found.tolist() == [each in wanted for each in ids]


@given(st.lists(st.integers(-5, 5)), st.lists(st.integers(-5, 5)))
def test_membership_is_that_of_sets(values: list[int], known: list[int]) -> None:
    found = is_member(np.array(values, np.int64), np.unique(np.array(known, np.int64)))
    assert found.tolist() == [value in known for value in values]
