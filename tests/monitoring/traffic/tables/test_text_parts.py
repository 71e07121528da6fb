"""Large files read in parts give the records of the same files read whole, to the last bit."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.csv
import pytest

from monitoring.traffic.tables import split_groups, table, text_parts
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.pieces import ParquetPiece, SmallGroup
from monitoring.traffic.tables.table_format import AS_FILES_SHOW
from tests.monitoring.engines.engine_runs import one_file, run_in, same
from tests.own_table import watch


def one_csv(rows: pa.Table, folder: Path) -> None:
    """Rows as they come, in one CSV file."""
    pyarrow.csv.write_csv(rows, folder / "a.csv")


def test_a_csv_file_in_parts_gives_the_records_of_the_whole_file(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(tmp_path / "watched")
    whole = run_in(watched, tmp_path / "whole", one_csv, None, monkeypatch)
    assert any(incident.level == "page" for incident in whole.incidents)
    monkeypatch.setattr(text_parts, "LARGE", 0)
    monkeypatch.setattr(text_parts, "ROWS", 300)
    monkeypatch.setattr(text_parts, "BLOCKS", (1 << 14,))
    same(whole, run_in(watched, tmp_path / "parts", one_csv, None, monkeypatch))
    assert len(text_parts.text_parts(tmp_path / "parts" / "live" / "a.csv", AS_FILES_SHOW)) > 3


def test_a_row_group_in_parts_gives_the_records_of_the_whole_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    watched = watch(tmp_path / "watched")
    whole = run_in(watched, tmp_path / "whole", one_file, None, monkeypatch)
    parts: list[int] = []

    def split(piece: ParquetPiece, columns: TableColumns) -> tuple[SmallGroup, ...]:
        groups = small_groups(piece, columns)
        parts.append(len(groups))
        return groups

    small_groups = ParquetPiece.small_groups

    monkeypatch.setattr(table, "KEPT_BYTES", 0)
    monkeypatch.setattr(split_groups, "ROWS", 300)
    monkeypatch.setattr(ParquetPiece, "small_groups", split)
    same(whole, run_in(watched, tmp_path / "parts", one_file, None, monkeypatch))
    assert max(parts) > 3
