"""`python -m benchmarks`, at its smallest sizes: that it runs, prints and writes. No test looks at a time."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.__main__ import NAMES, main
from benchmarks.peer_servers import Server, stop
from benchmarks.results import Result, Settings, Table, draw, write
from benchmarks.speed_page import Goal, write_page


def test_the_list_says_of_each_benchmark_what_it_measures(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == list(NAMES)
    assert all(len(line.split()) > 4 for line in lines)


def test_an_unknown_name_is_refused_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as ended:
        main(["thruth"])
    assert ended.value.code == 2
    assert "there are truth, " in capsys.readouterr().err


def test_a_folder_that_is_not_a_demos_is_one_clear_message(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["truth", "--quick", "--demo", str(tmp_path), "--out", str(tmp_path / "out")]) == 2
    assert "Not a finished demo's folder." in capsys.readouterr().err


@pytest.mark.slow
def test_named_benchmarks_print_their_tables_and_keep_them(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "bench"
    assert main(["command_line", "traffic_log", "--quick", "--out", str(out)]) == 0
    printed = capsys.readouterr().out
    assert "pitfalls --help" in printed
    assert "Appends of a model" in printed
    assert {path.name for path in out.iterdir()} == {"command_line.json", "traffic_log.json"}
    starts = json.loads((out / "command_line.json").read_text("utf-8"))
    assert starts["quick"] is True
    [table] = starts["tables"]
    rows = {row[0]: row[1:] for row in table["rows"]}
    assert rows["python -c pass"][-1] == 1.0
    assert all(cell > 0 for row in rows.values() for cell in row if not isinstance(cell, str))
    appends, reads = json.loads((out / "traffic_log.json").read_text("utf-8"))["tables"]
    assert [row[0] for row in appends["rows"]] == [1, 8, 32, 128, 256]
    assert {row[0] for row in reads["rows"]} >= {"one day of Parquet", "every day"}


def test_goals_and_tables_become_a_page(tmp_path: Path) -> None:
    few, many = (Goal(model="m", says="of it", got=0.5, least=least) for least in (0.6, 0.5))
    assert (few.reached, many.reached, str(many)) == (False, True, "at least 0.5 of it")
    assert Goal(model="m", says="of it", got=2.0, most=2.5).reached
    tables = (Table(title="Rates", columns=("server", "rate"), rows=(("a", 1234.5),)),)
    write_page(tmp_path / "speed.md", Result(tables=tables, remarks=("Left out.",)))
    page = (tmp_path / "speed.md").read_text("utf-8")
    assert "## Rates\n\n| server | rate |\n|---|---:|\n| a | 1,234 |\n" in page
    assert page.endswith("## Remarks\n\n- Left out.\n")


def test_a_server_is_all_of_its_processes() -> None:
    script = "import subprocess, sys; subprocess.run(['sleep', '60'])"
    with subprocess.Popen([sys.executable, "-c", script], start_new_session=True) as process:
        server = Server(port=0, pid=process.pid)
        while len(server.processes()) < 2:
            assert process.poll() is None
        assert server.megabytes() > 1
        assert server.cpu_seconds() >= 0
        stop(server, process)
    assert process.returncode is not None
    assert not [pid for pid in server.processes() if Path(f"/proc/{pid}").exists()]


def test_the_environment_is_written_down_without_naming_the_machine(tmp_path: Path) -> None:
    result = Result(tables=(Table(title="t", columns=("a", "b"), rows=(("x", 1.5), ("y", None))),), remarks=("r",))
    path = write("example", result, Settings(out=tmp_path), 1.23)
    document = json.loads(path.read_text("utf-8"))
    assert set(document["environment"]) == {"python", "system", "cores", "libraries"}
    assert document["tables"][0]["rows"] == [["x", 1.5], ["y", None]]
    assert not re.search(r"/(home|root|tmp|work)", path.read_text("utf-8"))


def test_a_table_with_a_short_row_is_a_defect() -> None:
    with pytest.raises(AssertionError, match="crooked"):
        Table(title="crooked", columns=("a", "b"), rows=(("x",),))


def test_what_was_not_measured_is_a_dash() -> None:
    from io import StringIO

    from rich.console import Console

    shown = StringIO()
    table = Table(title="delays", columns=("test", "+1 SD"), rows=(("rule", None),))
    draw(Result(tables=(table,), remarks=("slower",)), Console(file=shown, width=80))
    assert re.search(r"rule\s+│\s+-\s+│", shown.getvalue())
    assert "- slower" in shown.getvalue()
