"""Outputs of ids and of their scores are found, or refused with the reason; labels are ids in any form."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa
import pytest

from monitoring.errors import BadInput
from serving.export.outputs.rankings import RankedOutput, find_ranked_output, labels_of_ids

IDS: Any = np.zeros((4, 3), np.int64)
TEXTS: Any = np.full((4, 3), b"a", object)
SCORES: Any = np.zeros((4, 3), np.float32)
WIDE: Any = np.zeros((4, 8), np.float32)


def test_ids_are_whole_numbers_or_texts_and_scores_are_as_many_numbers() -> None:
    found = RankedOutput(ids="ids", scores="scores", places=3)
    assert find_ranked_output({"scores": SCORES, "ids": IDS, "all": WIDE}) == found
    assert find_ranked_output({"ids": TEXTS, "scores": SCORES, "embedding": SCORES}) == found
    assert find_ranked_output({"a": IDS, "b": IDS, "c": SCORES}, "b").ids == "b"
    assert find_ranked_output({"ids": IDS, "a": SCORES, "b": SCORES}, None, "b").scores == "b"
    alone = find_ranked_output({"outputs": TEXTS})
    assert (alone.scores, alone.outputs, alone.task.scored) == (None, ("outputs",), False)


@pytest.mark.parametrize(
    ("answers", "named", "reason", "fix"),
    [
        ({"scores": WIDE}, (), "No output is a list of ids", "top_k"),
        ({"ids": IDS[:, 0], "scores": SCORES}, (), "No output is a list of ids", "top_k"),
        ({"ids": IDS[:, :, None]}, (), "No output is a list of ids", "top_k"),
        ({"a": IDS, "b": TEXTS}, (), "Several outputs can be the answered ids", "--output a"),
        ({"ids": IDS, "scores": SCORES}, ("scores",), "No output is a list of ids", "top_k"),
        ({"ids": IDS, "a": SCORES, "b": SCORES}, (), "Several outputs can be the scores", "--score a"),
        ({"ids": IDS, "all": WIDE}, (None, "all"), "cannot be the scores", "leave --score out"),
        ({"ids": np.zeros((4, 101), np.int64)}, (), "cannot be the answers of a ranking", "Keep the first ids"),
    ],
    ids=["catalogue", "one", "cube", "two", "floats", "scores", "width", "many"],
)
def test_other_outputs_are_refused(answers: dict[str, Any], named: tuple[Any, ...], reason: str, fix: str) -> None:
    with pytest.raises(BadInput, match=reason) as refused:
        find_ranked_output(answers, *named)
    assert fix in refused.value.fix


@pytest.mark.parametrize(
    ("labels", "texts"),
    [
        (["a", "b|c", None], ["a", "b|c", None]),
        ([["a"], ["b", "c"], None], ["a", "b|c", None]),
        ([[2**53 + 1], [4, 5], []], [f"[{2**53 + 1}]", "[4,5]", "[]"]),
        ([7, None, 2**53 + 1], ["7", None, str(2**53 + 1)]),
        (pa.array([7.0, float("nan"), 8.0]), ["7", None, "8"]),
        (pa.array([None, None]), [None, None]),
    ],
    ids=["text", "lists", "whole", "one", "gaps", "none"],
)
def test_labels_are_ids_or_lists_of_them(labels: Any, texts: list[str | None]) -> None:
    found = labels_of_ids(pa.table({"y": labels}), "y")
    assert found is not None
    assert found.to_pylist() == texts


@pytest.mark.parametrize(
    "labels", [[0.5, 1.5], [[0.5], [1.0]], [{"id": 3}, None], pa.array([0, 1], pa.timestamp("s"))], ids=str
)
def test_labels_of_another_form_are_refused(labels: Any) -> None:
    with pytest.raises(BadInput, match="not an id"):
        labels_of_ids(pa.table({"y": labels}), "y")


def test_no_column_is_no_label() -> None:
    assert labels_of_ids(pa.table({"x": [1]}), "y") is None
