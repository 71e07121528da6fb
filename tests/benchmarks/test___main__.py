"""`python -m benchmarks` at its smallest sizes: that it runs, prints and writes. No test looks at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, main


def test_the_list_has_one_line_per_benchmark_with_what_it_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all(len(line.split()) > 4 for line in lines)


def test_an_unknown_name_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["thruth"])
    assert ended.value.code == 2
    assert "unknown benchmark thruth; known: truth.budget, " in capsys.readouterr().err


def test_a_folder_without_a_demo_is_one_clear_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["truth.budget", "--quick", "--demo", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "Not a finished demo's folder." in capsys.readouterr().err


@pytest.mark.slow
def test_a_named_benchmark_prints_its_table_and_writes_it(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bench"
    assert main(["command_line", "--quick", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "pitfalls --help" in printed
    assert {path.name for path in out.iterdir()} == {"command_line.json"}
    starts = json.loads((out / "command_line.json").read_text("utf-8"))
    assert starts["quick"] is True
    [table] = starts["tables"]
    rows = {row[0]: row[1:] for row in table["rows"]}
    assert rows["python -c pass"][-1] == 1.0
    assert all(cell > 0 for row in rows.values() for cell in row if not isinstance(cell, str))
