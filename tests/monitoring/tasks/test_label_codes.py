"""Arrays of label codes: which rows have a label, and digests that tell a changed label."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.label_codes import has_label, label_digests, only_where
from monitoring.tasks.task import NO_LABEL

CODES = st.integers(-(2**63), 2**63 - 1)


@given(st.lists(st.tuples(CODES, CODES, CODES), min_size=1, max_size=30))
def test_digests_are_equal_for_equal_labels_and_differ_for_others(rows: list[tuple[int, int, int]]) -> None:
    codes = np.array(rows, dtype=np.int64)
    known = has_label(codes)
    digests = label_digests(codes)
    assert (digests[known] >= 0).all()
    assert (digests[~known] == NO_LABEL).all()
    np.testing.assert_array_equal(digests, label_digests(codes.copy()))
    distinct = {row for row, one in zip(rows, known.tolist(), strict=True) if one}
    assert len(set(digests[known].tolist())) == len(distinct)


def test_a_label_in_another_order_or_with_one_bit_changed_has_another_digest() -> None:
    numbers = np.array([[1.0, 2.0], [2.0, 1.0], [1.0, np.nextafter(2.0, 3.0)], [0.0, 0.0]]).view(np.int64)
    assert len(set(label_digests(numbers).tolist())) == 4


def test_single_codes_are_their_own_digests() -> None:
    codes = np.array([0, 5, NO_LABEL, -3])
    assert label_digests(codes) is codes
    assert only_where(np.array([True, False, True, False]), codes).tolist() == [0, NO_LABEL, NO_LABEL, NO_LABEL]
