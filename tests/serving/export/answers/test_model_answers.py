"""The author's model is run on every row of a reference, whatever its outputs hold."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np
import pyarrow as pa
import pytest

from serving.export.answers.model_answers import BATCH, answers_of, listed_answers
from serving.export.keras_model import KerasModel
from tests.serving.ranking_model import NUMBERS, TEXTS, ranking_model, ranking_reference


@pytest.mark.parametrize("ids", [TEXTS, NUMBERS], ids=["text", "whole numbers"])
def test_ids_are_listed_exactly_row_by_row_over_batches(ids: list[Any]) -> None:
    table = ranking_reference(ids, BATCH + 3)
    found = listed_answers(table, KerasModel(ranking_model(ids)), ("ids", "scores"))
    best = [ids[-1:-4:-1], ids[:3]]
    wanted = [[one.encode() if isinstance(one, str) else one for one in row] for row in best]
    assert found["ids"].to_pylist()[-2:] == wanted
    assert len(found["scores"]) == BATCH + 3


def test_numbers_are_answered_as_an_array() -> None:
    x = keras.Input((2,), name="x")
    model = KerasModel(keras.Model(x, keras.layers.Dense(2, kernel_initializer="identity")(x)))
    table = pa.table({"x": [[1.0, 2.0], [3.0, 4.0]]})
    np.testing.assert_array_equal(answers_of(table, model, "outputs"), [[1.0, 2.0], [3.0, 4.0]])
