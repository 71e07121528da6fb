"""A predicted number is the one output that is one number a row, and labels that are more than two numbers."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from serving.export.outputs.predicted_number import find_number_output

ONE, COLUMN, SIX = np.zeros(4), np.zeros((4, 1)), np.zeros((4, 6))
PRICES = [9.5, 20.0, 11.25]


def found(labels: Any, answers: dict[str, Any] | None = None, **said: Any) -> str | None:
    column = None if labels is None else pa.chunked_array([labels])
    return find_number_output({"outputs": COLUMN} if answers is None else answers, column, **said)


@pytest.mark.parametrize(
    "labels", [PRICES, [1, 2, 3], [7.0, -3.0, None, 5.0], [Decimal("1.50"), Decimal("2.25"), Decimal("9.00")]], ids=str
)
def test_labels_of_more_than_two_numbers_are_numbers(labels: list[Any]) -> None:
    assert found(labels) == "outputs"
    assert found(labels, {"price": ONE, "kind": SIX}) == "price"
    assert found(labels, task="classification") is None


@pytest.mark.parametrize("labels", [None, [1, 2, None], [True, False], ["1.5", "2", "3"], [0.5, float("nan")]], ids=str)
def test_anything_else_is_a_number_by_its_owners_word_alone(labels: Any) -> None:
    assert found(labels) is None
    assert found(labels, task="regression") == "outputs"


def test_outputs_that_are_no_single_number_are_none() -> None:
    whole = {"ids": np.zeros((4, 1), np.int64), "embedding": COLUMN, "logits": COLUMN, "forecast": SIX}
    assert found(PRICES, whole) is None
    with pytest.raises(BadInput, match=r"forecast \[6\]"):
        found(PRICES, whole, task="regression")


def test_of_several_numbers_the_owner_names_one() -> None:
    several = {"price": COLUMN, "days": ONE, "forecast": SIX}
    with pytest.raises(BadInput, match="Several outputs of the model are numbers") as caught:
        found(PRICES, several)
    assert caught.value.got == "outputs price, days"
    assert caught.value.fix is not None
    assert caught.value.fix.startswith("Name it: --output price. Or make them one")
    assert found(PRICES, several, output="days") == "days"
    with pytest.raises(BadInput, match=r"outputs forecast \[6\]"):
        found(PRICES, several, output="forecast")
