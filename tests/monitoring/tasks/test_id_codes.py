"""Ids as codes: equal ids have equal ones, however they are written."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest

from monitoring.tasks.id_codes import BITS, NO_ID, id_codes, id_set_codes, split_ids
from monitoring.tasks.task import NO_LABEL


def test_codes_are_exact_in_a_float_and_apart() -> None:
    codes = id_codes(pa.array([f"item-{number}" for number in range(100_000)]))
    assert len(np.unique(codes)) == 100_000
    assert codes.min() > NO_ID
    assert codes.max() < 1 << BITS
    np.testing.assert_array_equal(codes.astype(np.float64).astype(np.int64), codes)


@pytest.mark.parametrize("text", ["7|12", "7;12", "[7, 12]", "[7.0,12.0]", '["7", "12"]', "['7', '12']", " 7 | 12 "])
def test_every_way_to_write_two_ids_is_read_alike(text: str) -> None:
    assert split_ids(pa.array([text])).to_pylist() == [["7", "12"]]


def test_a_comma_without_brackets_is_part_of_an_id() -> None:
    assert split_ids(pa.array(["Paris, France"])).to_pylist() == [["Paris, France"]]


def test_labels_are_sets_and_none_where_there_are_none_or_too_many() -> None:
    codes = id_set_codes(pa.chunked_array([["a", "b|a|b", "[]", " ", None, "a|b|c|d"]], pa.string()), 3)
    assert codes.shape == (6, 3)
    assert (codes != NO_LABEL).sum(axis=1).tolist() == [1, 2, 0, 0, 0, 0]
    a, b = id_codes(pa.array(["a", "b"])).tolist()
    assert set(codes[1].tolist()) == {a, b, NO_LABEL}
    assert id_set_codes(pa.chunked_array([[]], pa.string()), 3).shape == (0, 3)
