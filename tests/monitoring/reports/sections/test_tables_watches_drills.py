from __future__ import annotations

import io
from dataclasses import replace
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from monitoring.records import DrillRecord
from monitoring.reports import render, write_page
from monitoring.reports.sections.tables import COLUMNS, drill_rows, drill_sentence
from monitoring.watches.descriptions import NOTHING
from tests.dashboard_store import EXAMPLES, drill_of

DRILL: DrillRecord = drill_of("flights")
SENTENCE = (
    "Last drill, 11 May 2013 11:00: 1 of 3 faults detected; missed: labels stop. "
    "Without a fault: no page in 58 windows."
)


def test_a_drill_is_a_sentence_and_a_row_for_each_fault() -> None:
    assert drill_sentence(DRILL, ZoneInfo("UTC")) == SENTENCE
    first, second, _ = drill_rows(DRILL)
    assert first == ("number times 100", "a page", "1 of 1", "2", "gone UA")
    assert second == ("labels stop", "a page", "0 of 1", NOTHING, NOTHING)
    assert len(first) == len(COLUMNS)
    assert drill_rows(None) == ()


def test_the_page_and_the_terminal_have_the_last_drill_where_there_was_one(tmp_path: Path) -> None:
    status = replace(EXAMPLES["make_status"](windows=3), drill=replace(DRILL, by="<script>"))
    for shown, there in ((status, True), (replace(status, drill=None), False)):
        write_page(shown, path=tmp_path / "report.html", benchmark=None)
        page = (tmp_path / "report.html").read_text("utf-8")
        assert ('<h2 id="drill">Drill</h2>' in page) is there
        console = Console(width=200, file=io.StringIO(), record=True)
        console.print(render(shown))
        assert ("1 of 3 faults detected; missed: labels stop." in console.export_text()) is there
