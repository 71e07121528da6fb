"""PredictionLog records are a table like any other, converted again only when their file changes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from monitoring.errors import BadInput, CannotRun
from monitoring.traffic.format.rows import AnsweredRows
from monitoring.traffic.log.log import TrafficLog
from monitoring.traffic.log.writer import TrafficWriter
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.tfrecord_files import TFRECORD, as_parquet
from monitoring.traffic.tf_prediction_log.prediction_log import export_log
from tests.monitoring.traffic.conftest import NOON

Answer = Callable[..., AnsweredRows]


def log_of(folder: Path, *batches: AnsweredRows) -> TrafficLog:
    writer = TrafficWriter(folder, clock=lambda: NOON + timedelta(hours=1))
    try:
        for batch in batches:
            writer.append(batch)
    finally:
        writer.close()
    return TrafficLog(folder)


def records_of(path: Path, *batches: AnsweredRows) -> TrafficLog:
    """Writes the records of a log of the batches; gives the log."""
    folder = path.with_name(f"{len(batches)}.log")
    log = log_of(folder, *batches)
    with path.open("wb") as file:
        export_log(folder, file)
    return log


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "a.tfrecord"


def test_records_have_the_rows_and_columns_of_their_log(path: Path, answer: Answer) -> None:
    log = records_of(path, answer("r", 2), answer("s", 1, salt=4.0))
    found = pq.read_table(as_parquet(path))
    assert found.num_rows == 3
    assert set(log.table().column_names) == set(found.column_names)
    for name in ("prediction_id", "event_time", "temp", "carrier", "probabilities"):
        assert found[name].to_pylist() == log.table()[name].to_pylist()


def test_a_file_is_converted_once_for_as_long_as_it_stays_as_it_is(path: Path, answer: Answer) -> None:
    records_of(path, answer("r", 1))
    first = as_parquet(path)
    written = first.stat().st_mtime_ns
    assert as_parquet(path) == first
    assert first.stat().st_mtime_ns == written
    records_of(path, answer("r", 1), answer("s", 2))
    assert pq.read_table(as_parquet(path)).num_rows == 3


def test_a_truncated_record_is_left_out_until_it_is_whole(path: Path, answer: Answer) -> None:
    records_of(path, answer("r", 1), answer("s", 1))
    whole = path.read_bytes()
    path.write_bytes(whole[:-3])
    assert pq.read_table(as_parquet(path)).num_rows == 1
    path.write_bytes(whole)
    assert pq.read_table(as_parquet(path)).num_rows == 2


@pytest.mark.parametrize("suffix", TFRECORD)
def test_records_are_pieces_of_a_table_by_their_own_name(tmp_path: Path, answer: Answer, suffix: str) -> None:
    records_of(tmp_path / f"a{suffix}", answer("r", 2))
    (piece,) = pieces_of(tmp_path / f"a{suffix}")
    assert (piece.name, piece.first_row) == (f"a{suffix}", 0)
    assert piece.read(["temp"]).table.to_pydict() == {"temp": [0.0, 1.0]}


def test_damage_within_the_file_is_bad_input_and_leaves_no_table(path: Path, answer: Answer) -> None:
    records_of(path, answer("r", 1), answer("s", 1))
    content = bytearray(path.read_bytes())
    content[30] ^= 0xFF
    path.write_bytes(content)
    for _ in range(2):
        with pytest.raises(BadInput):
            as_parquet(path)
    with pytest.raises(BadInput):
        pieces_of(path)


def test_a_file_of_something_else_is_bad_input(path: Path) -> None:
    path.write_bytes(b"id,city\n1,EWR\n" * 20)
    with pytest.raises(BadInput):
        as_parquet(path)


def test_an_absent_file_is_an_error(path: Path, answer: Answer) -> None:
    with pytest.raises(FileNotFoundError):
        as_parquet(path)
    records_of(path, answer("r", 1))
    (piece,) = pieces_of(path)
    as_parquet(path).unlink()
    with pytest.raises(CannotRun):
        piece.read()
