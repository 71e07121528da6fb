"""Outputs become the numbers that are watched of them, however a log stores them."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from monitoring.baseline.output_numbers import made_answers, output_numbers
from monitoring.baseline.spec import BaselineSpec
from monitoring.errors import BadInput
from monitoring.tasks.outputs_only import OutputsOnly
from monitoring.tasks.ranking import Ranking
from monitoring.tasks.task import WatchedOutput


def task(**widths: int | None) -> OutputsOnly:
    return OutputsOnly(watched=tuple(WatchedOutput(name=name, width=width) for name, width in widths.items()))


def numbers(watched: OutputsOnly, **columns: Any) -> NDArray[np.float64]:
    return output_numbers({name: pa.chunked_array([column]) for name, column in columns.items()}, watched)


def test_plain_numbers_and_lists_stand_side_by_side_and_rows_of_another_size_are_missing() -> None:
    found = numbers(task(price=1, tags=2), price=[1.5, 2.5, None, 4.5], tags=[[0.0, 1.0], [1.0], [0.5, 0.5], None])
    np.testing.assert_array_equal(
        found, [[1.5, 0.0, 1.0], [2.5, np.nan, np.nan], [np.nan, 0.5, 0.5], [4.5, np.nan, np.nan]]
    )


def test_an_absent_output_is_named() -> None:
    with pytest.raises(BadInput, match="no tags"):
        numbers(task(price=1, tags=2), price=[1.0])


@given(st.lists(st.lists(st.floats(-1e6, 1e6), max_size=12), min_size=1, max_size=12))
def test_summaries_are_those_of_each_row(rows: list[list[float]]) -> None:
    found = numbers(task(steps=None), steps=pa.array(rows, pa.list_(pa.float64())))
    for row, values in zip(rows, found, strict=True):
        if not row:
            assert np.isnan(values).all()
            continue
        expected = np.array([np.mean(row), np.std(row), max(row), len(row)])
        np.testing.assert_allclose(values, expected, rtol=1e-9, atol=1e-6)


@pytest.mark.parametrize(
    "ids", [[[b"a", b"b"], [b"", b"c"], None], [[2**53 + 1, 7], [-1, 8], []]], ids=["bytes", "whole numbers"]
)
def test_logged_ids_and_their_scores_are_the_answers_of_a_ranking(ids: Any) -> None:
    spec = BaselineSpec(
        classes=(), features=(), other_task=Ranking(places=2, scored=True), output="found", id_scores="scores"
    )
    columns = {"found": pa.chunked_array([ids]), "scores": pa.chunked_array([[[0.5, 0.25], [0.5, 0.25], [1.0, 2.0]]])}
    answers = made_answers(columns, spec)
    assert (answers[0, :2] > 0).all()
    assert answers[1].tolist() == [0.0, answers[1, 1], 0.5, 0.25]
    assert np.isnan(answers[2]).all()
    with pytest.raises(BadInput, match="no scores"):
        made_answers({"found": columns["found"]}, spec)
