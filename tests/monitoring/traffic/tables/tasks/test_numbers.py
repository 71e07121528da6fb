"""Tables of predicted numbers are told from those of classes, and refused where they hold something else."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.reference import LoadedPiece, read_all
from monitoring.traffic.tables.tasks.numbers import check_numbers, inferred_task

COLUMNS = TableColumns(predicted="answer", label="label")


def pieces(tmp_path: Path, answers: object, labels: object) -> tuple[LoadedPiece, ...]:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"answer": answers, "label": labels}), path)
    return read_all(pieces_of(path))


@pytest.mark.parametrize(
    ("answers", "labels", "task"),
    [
        ([1.5, 2.5], [1.0, 2.25], "regression"),
        (np.arange(100.0), np.arange(100), "regression"),
        ([0, 1], [1, 1], "classification"),
        ([0, 1, 2], [2.0, 1.0, 0.0], "classification"),
        (["a", "b"], ["a", "a"], "classification"),
        ([True, False], [True, True], "classification"),
        ([1.5, 2.5], pa.array([None, None], pa.float64()), "regression"),
        ([1.5, 2.5], ["a", "b"], "classification"),
        ([1.5, 2.5], [1, 2], "regression"),
    ],
)
def test_the_task_follows_from_labels_and_answers(tmp_path: Path, answers: object, labels: object, task: str) -> None:
    assert inferred_task(pieces(tmp_path, answers, labels), COLUMNS, ()) == task


def test_a_probability_is_no_predicted_number_and_named_classes_are_believed(tmp_path: Path) -> None:
    scored = TableColumns(scores=("answer",), label="label")
    assert inferred_task(pieces(tmp_path, [0.2, 0.7], [0, 1]), scored, ()) == "classification"
    assert inferred_task(pieces(tmp_path, [1.5, 2.5], [1.0, 2.25]), COLUMNS, ("low", "high")) == "classification"


def test_what_is_no_number_is_refused_by_name(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="The column label does not hold numbers"):
        check_numbers(pieces(tmp_path, [1.5, 2.5], ["dear", "cheap"]), COLUMNS, (), ())
    with pytest.raises(BadInput, match="has no classes"):
        check_numbers(pieces(tmp_path, [1.5, 2.5], [1.0, 2.0]), COLUMNS, ("a", "b"), ())
    with pytest.raises(BadInput, match="One predicted number"):
        check_numbers(pieces(tmp_path, [1.5], [1.0]), TableColumns(scores=("answer", "label")), (), ())


def test_a_probability_beside_another_number_is_asked_for_and_names_the_classes(tmp_path: Path) -> None:
    rng = np.random.default_rng(3)
    scores, incomes = rng.random(200), rng.gamma(3.0, 1_000.0, 200)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"p": scores, "income": incomes, "y": np.arange(200) % 2}), path)
    read = read_all(pieces_of(path))
    with pytest.raises(BadInput, match=r"look like probabilities.*p from .* and income from .*--label y.*--predicted"):
        inferred_task(read, TableColumns(scores=("p",), label="income"), ())
    assert inferred_task(read, TableColumns(predicted="p", label="income"), ()) == "regression"
    assert inferred_task(read, TableColumns(scores=("p",), label="y"), ()) == "classification"


def test_a_predicted_share_may_be_named_as_a_score(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"p": rng.random(200), "share": rng.normal(0.5, 0.4, 200)}), path)
    assert inferred_task(read_all(pieces_of(path)), TableColumns(scores=("p",), label="share"), ()) == "regression"
