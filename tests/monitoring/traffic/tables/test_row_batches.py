"""Rows of a piece in their final shape, the same in batches and whole, and what was wrong with the piece."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from monitoring.traffic.descriptors.text import TextDescriptors
from monitoring.traffic.tables import piece_reader
from monitoring.traffic.tables.columns import TableColumns
from monitoring.traffic.tables.files import pieces_of
from monitoring.traffic.tables.piece_reader import PieceReader
from monitoring.traffic.tables.pieces import TablePiece
from monitoring.traffic.tables.row_batches import PieceRows, RowBatch
from tests.monitoring.traffic.tables.table_files import COLUMNS, UTC_TIME, at, parquet, rows_at, us


def rows_of(piece: TablePiece, columns: TableColumns = COLUMNS) -> PieceRows:
    return PieceRows(piece=piece, columns=columns, reader=PieceReader(columns))


def one_batch(folder: Path, table: pa.Table, columns: TableColumns = COLUMNS) -> tuple[RowBatch, PieceRows]:
    (piece,) = parquet(folder, table)
    rows = rows_of(piece, columns)
    (batch,) = rows.batches()
    return batch, rows


def text_rows(folder: Path, content: str) -> PieceRows:
    (folder / "a.csv").write_text(content)
    (piece,) = pieces_of(folder / "a.csv")
    return rows_of(piece)


def test_rows_have_every_column_in_its_final_type(tmp_path: Path) -> None:
    batch, _ = one_batch(tmp_path, rows_at([1, 2], ids=["a", None], labels=["yes", None], known=[3, None]))
    table = batch.table()
    assert dict(zip(table.column_names, table.schema.types, strict=True)) == {
        "prediction_id": pa.string(),
        "event_time": UTC_TIME,
        "age": pa.float64(),
        "city": pa.string(),
        "probabilities": pa.list_(pa.float64()),
        "label": pa.string(),
        "label_time": UTC_TIME,
    }
    assert table.to_pylist()[0] == {
        "prediction_id": "a",
        "event_time": at(1),
        "age": 0.0,
        "city": "EWR",
        "probabilities": [0.75, 0.25],
        "label": "yes",
        "label_time": at(3),
    }
    second = table.to_pylist()[1]
    assert (second["prediction_id"], second["label"], second["label_time"]) == ("0.parquet:1", None, None)


def test_a_label_without_a_time_is_known_when_its_row_happened(tmp_path: Path) -> None:
    batch, _ = one_batch(tmp_path, rows_at([1], labels=["yes"]))
    assert batch.label_us is None
    assert batch.late_labels() is None
    assert batch.table()["label_time"].to_pylist() == [at(1)]


def test_a_label_is_late_if_it_became_known_after_its_row_and_never_earlier(tmp_path: Path) -> None:
    batch, _ = one_batch(tmp_path, rows_at([2, 2, 2], labels=["yes"] * 3, known=[1, 2, 3]))
    late = batch.late_labels()
    assert late is not None
    assert late.tolist() == [False, False, True]
    assert batch.table()["label_time"].to_pylist() == [at(2), at(2), at(3)]


def test_absent_inputs_and_unreadable_cells_are_reported(tmp_path: Path) -> None:
    batch, _ = one_batch(tmp_path, rows_at([1, 2]).drop_columns(["city"]))
    assert batch.input_problems() == {"city": "absent"}
    assert batch.table()["city"].to_pylist() == [None, None]
    text = text_rows(tmp_path, "ts,p,age,city\n2024-01-01,0.5,x,a\n2024-01-01,0.5,3,b\n")
    (batch,) = text.batches()
    assert {name: mask.tolist() for name, mask in batch.unreadable.items()} == {"age": [True, False]}
    assert np.isnan(batch.table()["age"].to_pylist()[0])


def test_what_cannot_be_read_goes_with_its_row(tmp_path: Path) -> None:
    (batch,) = text_rows(tmp_path, "ts,p,age,city,y,known_at\n2024-01-01,0.5,x,a,no,soon\n").batches()
    assert batch.unreadable["age"].tolist() == [True]
    assert batch.invalid_label_times is not None
    assert batch.invalid_label_times.tolist() == [True]
    none = batch.take(np.zeros(0, dtype=np.int64))
    assert none.unreadable["age"].size == 0


def test_findings_are_of_columns_and_lines(tmp_path: Path) -> None:
    rows = text_rows(tmp_path, "ts,p,age,city,age\n2024-01-01,x,1,a,1\n2024-01-01,2\n")
    list(rows.batches())
    assert [each.kind for each in rows.findings] == ["duplicate column", "broken lines"]


def test_an_absent_answer_is_named(tmp_path: Path) -> None:
    batch, rows = one_batch(tmp_path, rows_at([1, 2]).drop_columns(["p"]))
    assert ([*batch.absent_answers], rows.findings) == (["p"], ())
    assert np.isnan(batch.probabilities).all()


def test_an_empty_piece_has_no_finding_about_answers(tmp_path: Path) -> None:
    rows = text_rows(tmp_path, "ts,p,age,city\n")
    assert sum(map(len, rows.batches())) == 0
    assert rows.findings == ()


def test_places_and_times_are_those_of_the_piece(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(piece_reader, "ROWS", 2)
    (piece,) = parquet(tmp_path, rows_at([1, None, 3]))
    batches = list(rows_of(piece).batches())
    assert [batch.places.tolist() for batch in batches] == [[0, 1], [2]]
    assert [batch.timed.tolist() for batch in batches] == [[True, False], [True]]
    assert batches[1].event_us.tolist() == [us(3)]
    assert batches[1].all_ids().to_pylist() == batches[1].ids_at(np.array([0])).to_pylist() == ["0.parquet:2"]


@pytest.mark.parametrize("kind", [pa.float32(), pa.int8(), pa.uint16(), pa.decimal128(21, 2), pa.bool_(), pa.float16()])
def test_numbers_of_any_width_become_float64(tmp_path: Path, kind: pa.DataType) -> None:
    cells = [np.float16(1), None] if kind == pa.float16() else [1, None]
    batch, _ = one_batch(tmp_path, rows_at([1, 2]).set_column(2, "age", pa.array(cells).cast(kind)))
    found = batch.table()["age"]
    assert found.type == pa.float64()
    assert found.to_pylist()[0] == 1.0
    assert np.isnan(found.to_pylist()[1])
    assert batch.problems == {}


def test_text_that_is_not_utf_8_is_replaced(tmp_path: Path) -> None:
    odd = pa.Array.from_buffers(pa.string(), 1, pa.array([b"\xff!"]).buffers())
    batch, _ = one_batch(tmp_path, rows_at([1]).set_column(3, "city", odd))
    assert batch.table()["city"].to_pylist() == ["\ufffd!"]


@settings(max_examples=25)
@given(data=st.data())
def test_some_rows_of_a_batch_are_those_rows_of_its_table(
    tmp_path_factory: pytest.TempPathFactory, data: st.DataObject
) -> None:
    count, with_ids, known = data.draw(st.integers(1, 6)), data.draw(st.booleans()), data.draw(st.booleans())
    table = rows_at(
        range(count),
        ids=[f"id-{row}" for row in range(count)] if with_ids else None,
        labels=data.draw(st.lists(st.sampled_from(["no", "yes", None]), min_size=count, max_size=count)),
        known=range(1, count + 1) if known else None,
    )
    batch, _ = one_batch(tmp_path_factory.mktemp("batch"), table)
    at_rows = np.array(data.draw(st.lists(st.integers(0, count - 1), max_size=8)), dtype=np.int64)
    some = batch.take(at_rows)
    assert len(some) == at_rows.size
    assert some.table().to_pylist() == batch.table().take(pa.array(at_rows)).to_pylist()
    assert batch.ids_at(at_rows).to_pylist() == some.all_ids().to_pylist()
    assert batch.nbytes > 0


def test_a_batch_without_inputs_can_be_taken_from(tmp_path: Path) -> None:
    batch, _ = one_batch(tmp_path, rows_at([1, 2]), COLUMNS.replaced(inputs={}))
    assert batch.take(np.array([1])).event_us.tolist() == [us(2)]


def test_a_described_column_becomes_the_inputs_that_describe_it(tmp_path: Path) -> None:
    note = TextDescriptors.fit("note", [(pa.array(["two words"]), np.zeros(1, np.int64))])
    columns = COLUMNS.replaced(inputs={**COLUMNS.inputs, **note.kinds}, described=(note,))
    table = rows_at([1, 2]).append_column("note", pa.array(["two words", None]))
    batch, _ = one_batch(tmp_path, table, columns)
    assert batch.inputs.column_names == [*COLUMNS.inputs, *note.kinds]
    assert batch.inputs["note.words"].to_pylist()[0] == 2
    assert batch.problems == {}
    gone, _ = one_batch(tmp_path, rows_at([1]), columns)
    assert gone.problems == dict.fromkeys(note.kinds, "absent")
    assert np.isnan(gone.inputs["note.words"].to_numpy()).all()
