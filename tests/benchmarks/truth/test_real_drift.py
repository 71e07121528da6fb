"""What is compared on real tables: losses by window, and when each monitor alarms first."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.results import Settings
from benchmarks.truth.real_drift import DriftTable, by_window, measure, read, table_rows
from monitoring.errors import BadInput

SMALL = DriftTable(
    title="small",
    files=("inputs.csv", "labels.csv"),
    separator=",",
    left_out=(1,),
    row_days=1 / 200,
    window_days=1,
    trained=1,
    reference=15,
)


def test_a_table_is_read_without_the_columns_that_are_no_inputs(tmp_path: Path) -> None:
    (tmp_path / "inputs.csv").write_text("1,2,3\n4,5,6\n")
    (tmp_path / "labels.csv").write_text("0\n1\n")
    inputs, labels = read(SMALL, tmp_path)
    assert inputs.tolist() == [[1, 3], [4, 6]]
    assert labels.tolist() == [0, 1]


def test_losses_are_those_of_whole_windows_after_the_training_set() -> None:
    size = SMALL.window_rows
    labels = np.repeat([0, 1, 0], [2 * size, size, 5])
    losses = by_window(SMALL, labels, np.full(len(labels), 0.25))
    assert losses.errors.tolist() == [[0.0, 1.0]]
    assert losses.brier.tolist() == [[0.0625, 0.5625]]


@pytest.mark.slow
def test_a_model_that_turns_wrong_is_alarmed_by_all() -> None:
    rng = np.random.default_rng(3)
    rows, changed = 26 * SMALL.window_rows, 16 * SMALL.window_rows
    inputs = rng.normal(size=(rows, 2))
    scores = 1 / (1 + np.exp(-3 * inputs[:, 0]))
    labels = (rng.random(rows) < scores).astype(np.int64)
    labels[changed:] = 1 - labels[changed:]
    found = table_rows(SMALL, inputs, labels, scores)
    assert found[0][2] == pytest.approx(0.17, abs=0.05)
    assert found[1][2] == pytest.approx(0.83, abs=0.05)
    assert {row[0]: row[1] for row in found[2:]} == {
        "this monitor, pages": 1,
        "this monitor, pages and notices": 1,
        "CUSUM": 1,
        "EWMA": 1,
        "7-day band": 1,
    }


def test_tables_that_are_not_there_are_named(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="The tables are not here") as refused:
        measure(Settings(out=tmp_path))
    assert "elec2_data.dat" in str(refused.value.got)
