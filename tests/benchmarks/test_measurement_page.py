from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from benchmarks.measurement_page import write_tables
from benchmarks.results import Result, Settings, Table, write


def document(folder: Path, cell: float) -> dict[str, Any]:
    table = Table(title="Delays", columns=("test", "+1 SD"), rows=(("rule", cell),), note="Of ten streams.")
    path = write("truth.few_rows", Result(tables=(table,), remarks=("Slow.",)), Settings(out=folder), 2.0)
    result: dict[str, Any] = json.loads(path.read_text("utf-8"))
    return result


def test_tables_go_to_the_end_of_the_page_and_a_later_run_replaces_them(tmp_path: Path) -> None:
    page = tmp_path / "few-rows.md"
    page.write_text("# Few rows\n\nBy hand.\n", "utf-8")
    write_tables(tmp_path, document(tmp_path, 1.5))
    first = page.read_text("utf-8")
    assert first.startswith("# Few rows\n\nBy hand.\n\n")
    assert "## Delays\n\n| test | +1 SD |\n|---|---:|\n| rule | 1.5 |\n\nOf ten streams.\n\n- Slow." in first
    assert "`python -m benchmarks truth.few_rows`" in first
    page.write_text(first + "\nAfter.\n", "utf-8")
    write_tables(tmp_path, document(tmp_path, 2.5))
    second = page.read_text("utf-8")
    assert second.endswith("\nAfter.\n")
    assert "| rule | 2.5 |" in second
    assert "| rule | 1.5 |" not in second


def test_a_page_says_when_and_at_which_commit_it_was_measured(tmp_path: Path) -> None:
    result = document(tmp_path, 1.0)
    page = write_tables(tmp_path, result).read_text("utf-8")
    assert len(result["date"]) == 10
    assert f"| {result['date']} | `{result['commit']}` |" in page


def test_the_list_of_pages_gets_the_date_of_the_page_that_was_measured(tmp_path: Path) -> None:
    listed = tmp_path / "README.md"
    listed.write_text(
        "| [Few](few-rows.md) | thin | 2020-01-01 | evidence |\n| [Facts](facts.md) | days | 2020-01-01 | facts |\n",
        "utf-8",
    )
    result = document(tmp_path, 1.0)
    write_tables(tmp_path, result)
    assert listed.read_text("utf-8").splitlines() == [
        f"| [Few](few-rows.md) | thin | {result['date']} | evidence |",
        "| [Facts](facts.md) | days | 2020-01-01 | facts |",
    ]
