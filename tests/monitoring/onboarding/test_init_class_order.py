"""Classes in another order than the scores: said when the reference is adopted, not a year later."""

from __future__ import annotations

from pathlib import Path

import pytest

from monitoring.errors import BadInput
from tests.own_table import REFERENCE, own_rows, watch


def test_classes_named_as_the_scores_in_another_order_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="another order") as refused:
        watch(tmp_path, classes=("late", "on_time"))
    assert "--classes on_time,late" in str(refused.value)


def test_a_single_score_named_the_wrong_way_round_is_worse_than_a_guess(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE).drop_columns(["on_time"])
    right = watch(tmp_path / "right", rows, scores=("late",))
    wrong = watch(tmp_path / "wrong", rows, scores=("late",), classes=("late", "on_time"))
    assert not any("order of the scores" in note for note in right.adopted.warnings)
    assert any("order of the scores (late, on_time)" in note for note in wrong.adopted.warnings)


def test_what_to_name_is_taken_from_the_labels(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE).drop_columns(["on_time"])
    with pytest.raises(BadInput) as refused:
        watch(tmp_path, rows, scores=("late",), classes=())
    assert "--classes late,on_time or --classes on_time,late" in str(refused.value)
