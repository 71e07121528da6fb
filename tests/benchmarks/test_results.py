from __future__ import annotations

import json
import re
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from benchmarks.results import Result, Settings, Table, draw, write


def test_the_environment_is_written_without_naming_the_machine(tmp_path: Path) -> None:
    result = Result(tables=(Table(title="t", columns=("a", "b"), rows=(("x", 1.5), ("y", None))),), remarks=("r",))
    path = write("example", result, Settings(out=tmp_path), 1.23)
    document = json.loads(path.read_text("utf-8"))
    assert set(document["environment"]) == {"python", "system", "cores", "libraries"}
    assert document["tables"][0]["rows"] == [["x", 1.5], ["y", None]]
    assert not re.search(r"/(home|root|tmp|work)", path.read_text("utf-8"))


def test_a_table_with_a_short_row_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="crooked"):
        Table(title="crooked", columns=("a", "b"), rows=(("x",),))


def test_a_missing_figure_is_a_dash_and_remarks_follow_the_tables() -> None:
    printed = StringIO()
    table = Table(title="delays", columns=("test", "+1 SD"), rows=(("rule", None),))
    draw(Result(tables=(table,), remarks=("slower",)), Console(file=printed, width=80))
    assert re.search(r"rule\s+│\s+-\s+│", printed.getvalue())
    assert "- slower" in printed.getvalue()
