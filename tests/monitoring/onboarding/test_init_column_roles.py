"""Roles that cannot be meant: one column for two of them, and slices of hundreds of values or of lists."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from monitoring import Monitor
from monitoring.errors import BadInput
from tests.own_table import NOW, REFERENCE, own_rows, watch


@pytest.mark.parametrize(
    ("said", "got"),
    [
        ({"scores": ("late", "y"), "classes": ()}, "Got --score y and --label y;"),
        ({"scores": (), "predicted": "y"}, "Got --predicted y and --label y;"),
        ({"prediction_id": "y"}, "Got --label y and --prediction-id y;"),
        ({"event_time": "late"}, "Got --score late and --event-time late;"),
    ],
)
def test_one_column_has_one_role(said: dict[str, Any], got: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="One column has two roles") as refused:
        watch(tmp_path, **said)
    assert got in str(refused.value)


def test_a_slice_of_many_values_is_refused_unless_it_is_declared_a_category(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="has too many") as refused:
        watch(tmp_path / "number", slices=("temp",))
    assert "--slices temp, of 5,4" in str(refused.value)
    declared = watch(tmp_path / "declared", slices=("temp",), categorical=("temp",))
    assert [column.kind for column in declared.adopted.columns if column.name == "temp"] == ["category"]


def test_a_slice_of_lists_is_of_another_kind(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE)
    lists = rows.append_column("tags", pa.array([["a", "b"]] * rows.num_rows))
    with pytest.raises(BadInput, match="another kind than it was declared"):
        watch(tmp_path, lists, slices=("tags",))


def test_a_monitor_of_a_frame_says_what_is_probably_not_meant(tmp_path: Path) -> None:
    rows = own_rows(REFERENCE).append_column("answer", own_rows(REFERENCE)["y"]).drop_columns(["on_time", "late"])
    said: dict[str, Any] = {"event_time": "ts", "label": "y", "label_time": "known_at", "prediction_id": "id"}
    monitor = Monitor.from_reference(rows, predicted="answer", clock=lambda: NOW, out=tmp_path / "m", **said)
    (warning,) = monitor.warnings
    assert warning.endswith("is it a copy of the label?")
    assert f"<li>Check: {warning}</li>" in monitor._repr_html_()
