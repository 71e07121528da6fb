from __future__ import annotations

import pytest
from starlette.exceptions import HTTPException

from monitoring.dashboard.view.responses import table_answer
from monitoring.dashboard.view.table import TableView, cell

TABLE = TableView(name="input=a/b", title="T", columns=("a",), rows=((cell("1", 1),),))


def test_a_table_is_a_file_with_a_plain_name() -> None:
    answer = table_answer(TABLE, "csv")
    assert answer.body == b"a\r\n1\r\n"
    assert answer.headers["content-disposition"] == 'attachment; filename="input-a-b.csv"'


def test_a_table_of_another_kind_is_not_there() -> None:
    with pytest.raises(HTTPException):
        table_answer(TABLE, "xlsx")
