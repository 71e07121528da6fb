from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monitoring.tasks.label_codes import class_indices

NAMES = st.lists(st.text(min_size=1, max_size=5), min_size=2, max_size=5, unique=True).map(tuple)


@given(NAMES)
def test_each_name_has_its_own_index(classes: tuple[str, ...]) -> None:
    assert class_indices(pa.array(classes, pa.string()), classes).to_pylist() == list(range(len(classes)))


@pytest.mark.parametrize(
    ("classes", "text", "index"),
    [
        (("on_time", "late"), "1", 1),
        (("on_time", "late"), "2", None),
        (("on_time", "late"), "Late", None),
        (("on_time", "late"), "true", None),
        (("0", "1"), "true", 1),
        (("1", "0"), "1", 0),
        (("1", "0"), "true", 0),
        (("a", "b", "c"), "", None),
    ],
)
def test_a_name_counts_before_a_number_and_anything_else_is_null(
    classes: tuple[str, ...], text: str, index: int | None
) -> None:
    assert class_indices(pa.array([text]), classes).to_pylist() == [index]


def test_null_stays_null_and_chunks_stay_chunks() -> None:
    column = pa.chunked_array([["b", None], ["a"]])
    assert class_indices(column, ("a", "b")).to_pylist() == [1, None, 0]
