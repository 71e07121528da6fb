from __future__ import annotations

from datetime import UTC, datetime, timedelta
from io import BytesIO

import pyarrow.parquet as pq
import pytest
from starlette.exceptions import HTTPException

from monitoring.dashboard.view.responses import action_of, parquet_bytes, table_answer
from monitoring.dashboard.view.table import Cell, TableView, cell
from monitoring.errors import BadInput
from monitoring.records import IncidentAction
from tests.dashboard_store import NOW

TABLE = TableView(name="input=a/b", title="T", columns=("a",), rows=((cell("1", 1),),))


def test_a_table_is_a_file_with_a_plain_name() -> None:
    answer = table_answer(TABLE, "csv")
    assert answer.body == b"a\r\n1\r\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="input-a-b.csv"'


def test_a_table_of_another_kind_is_not_there() -> None:
    with pytest.raises(HTTPException):
        table_answer(TABLE, "xlsx")


AT = datetime(2024, 1, 2, tzinfo=UTC)


def test_a_table_is_a_parquet_file_with_types() -> None:
    rows = (
        (cell("2 Jan", AT), Cell(text=""), cell("=1"), cell("3", 3), cell("12 %", 0.125), cell("#1", 1)),
        (cell("3 Jan", AT), Cell(text=""), cell("b"), cell("4", 4), cell("1", 1), cell("none")),
        (Cell(text="none"), Cell(text=""), Cell(text="none"), Cell(text="none"), Cell(text="none"), cell("#2", AT)),
    )
    names = ("Window", "", "Cause", "Rows", "Share", "Open")
    table = pq.read_table(BytesIO(parquet_bytes(TableView(name="t", title="T", columns=names, rows=rows))))
    assert table.column_names == [name for name in names if name]
    assert [str(field.type) for field in table.schema] == [
        "timestamp[us, tz=UTC]",
        "string",
        "int64",
        "double",
        "string",
    ]
    assert table.to_pydict() == {
        "Window": [AT, AT, None],
        "Cause": ["=1", "b", None],
        "Rows": [3, 4, None],
        "Share": [0.125, 1.0, None],
        "Open": ["1", "none", AT.isoformat()],
    }


def test_a_table_without_rows_has_its_columns() -> None:
    empty = TableView(name="t", title="T", columns=("a", "b"), rows=())
    assert pq.read_table(BytesIO(parquet_bytes(empty))).column_names == ["a", "b"]


def test_each_button_takes_its_own_field() -> None:
    form = {"by": " operator ", "note": "seen", "owner": "team flights", "why": "mended", "until": "8h"}
    texts = {"acknowledge": "", "assign": "team flights", "note": "seen", "close": "mended", "reopen": "mended"}
    for kind, text in texts.items():
        expected = IncidentAction(at=NOW, by="operator", kind=kind, text=text)  # type: ignore[arg-type]  # from a list
        assert action_of(kind, form, NOW) == expected  # type: ignore[arg-type]  # as above
    snooze = action_of("snooze", form, NOW)
    assert (snooze.text, snooze.until, snooze.until_worse) == ("", NOW + timedelta(hours=8), False)


def test_a_snooze_ends_with_what_is_worse_or_now_and_never_without_an_end() -> None:
    worse, end = (action_of("snooze", {"until": until}, NOW) for until in ("worse", "end"))
    assert (worse.until, worse.until_worse, worse.by) == (None, True, "dashboard")
    assert (end.until, end.until_worse) == (NOW, False)
    with pytest.raises(BadInput, match="needs an end"):
        action_of("snooze", {}, NOW)
