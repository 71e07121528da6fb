"""The run store: an interrupted grid resumes and gives the same rows."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from monitoring.errors import BadInput, CannotRun
from pitfalls_tf.training import run_folder
from tests.pitfalls_tf.experiments.small_experiment import CELLS, Counting, Interrupted, run_store

if TYPE_CHECKING:
    from pathlib import Path

    from pitfalls_tf.experiments.run_store import GridProgress


def test_stored_runs_are_not_repeated(reproduced: Path) -> None:
    cells = [Counting(cell) for cell in CELLS]
    run_store(reproduced / ".cells").run(cells, range(3))
    assert [cell.made for cell in cells] == [[], []]


def test_an_interrupted_grid_resumes_and_gives_the_same_rows(reproduced: Path, tmp_path: Path) -> None:
    cells = [Counting(CELLS[0], most=2), Counting(CELLS[1])]
    with pytest.raises(Interrupted):
        run_store(tmp_path).run(cells, range(3))
    (tmp_path / f"{run_folder.UNFINISHED}half.parquet").write_bytes(b"torn")
    reported: list[GridProgress] = []
    rest = [Counting(cell) for cell in CELLS]
    table = run_store(tmp_path, reported).run(rest, range(3))
    assert [cell.made for cell in rest] == [[2], [0, 1, 2]]
    assert table.equals(run_store(reproduced / ".cells").run(CELLS, range(3)))
    assert (reported[0].done, reported[0].total, reported[0].remaining) == (2, 6, None)
    assert (reported[-1].done, reported[-1].total, reported[-1].remaining) == (6, 6, 0)


def test_a_run_of_different_code_is_not_used(reproduced: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cell = Counting(CELLS[0])
    run_store(reproduced / ".cells").run([cell], range(1))
    assert cell.made == []
    other = property(lambda _: (*CELLS[0].code, "pitfalls_tf.experiments.tasks.alterations"))
    monkeypatch.setattr(Counting, "code", other)
    run_store(reproduced / ".cells").run([cell], range(1))
    assert cell.made == [0]


def test_more_seeds_add_to_fewer(reproduced: Path) -> None:
    cell = Counting(CELLS[0])
    table = run_store(reproduced / ".cells").run([cell], range(4))
    assert cell.made == [3]
    assert sorted(set(table["seed"].to_pylist())) == [0, 1, 2, 3]


def test_no_seeds_are_refused(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="No seeds"):
        run_store(tmp_path).run(CELLS, [])


def test_two_grids_at_once_in_a_folder_are_refused(tmp_path: Path) -> None:
    with run_folder.exclusive(tmp_path), pytest.raises(CannotRun, match="Another training is writing"):
        run_store(tmp_path).run(CELLS, range(1))


def test_the_seconds_of_stored_runs_are_kept_and_not_part_of_the_rows(tmp_path: Path) -> None:
    first = run_store(tmp_path)
    rows = first.run(CELLS[:1], range(3))
    again = run_store(tmp_path)
    assert again.run(CELLS[:1], range(3)).equals(rows)
    assert again.seconds == first.seconds > 0
    assert not rows.schema.metadata
