"""``pitfalls monitor init --reference``, and the other verbs on a table."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import Result

from monitoring.config import ColumnSection, read_dictionary
from monitoring.errors import CannotRun
from monitoring.onboarding.config_file import put_in_place, staging
from tests.own_table import REFERENCE, own_rows
from tests.small_deployment import Days

Pitfalls = Callable[..., Result]
COLUMNS = ("--event-time", "ts", "--score", "on_time,late", "--label", "y", "--label-time", "known_at")


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """A folder with REF.parquet and LIVE.parquet."""
    pq.write_table(own_rows(REFERENCE), tmp_path / "REF.parquet")
    pq.write_table(own_rows(Days(days=12)), tmp_path / "LIVE.parquet")
    return tmp_path


def test_folders_that_are_named_as_relative_are_moved_together(
    pitfalls: Pitfalls, table: Path, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table)
    flags = ("--reference", "REF.parquet", *COLUMNS, "--prediction-id", "id", "--traffic", "LIVE*.parquet")
    made = pitfalls("monitor", "init", *flags, "--out", "monitors/watched")
    assert made.exit_code == 0, made.output
    assert 'path = "../../LIVE*.parquet"' in Path("monitors/watched/monitor.toml").read_text("utf-8")
    before = pitfalls("monitor", "run", "--config", "monitors/watched/monitor.toml", "--json")
    elsewhere = tmp_path_factory.mktemp("elsewhere") / "moved"
    table.rename(elsewhere)
    after = pitfalls("monitor", "run", "--config", elsewhere / "monitors/watched/monitor.toml", "--json")
    assert (before.exit_code, after.exit_code) == (0, 0), after.output
    first, second = json.loads(before.stdout), json.loads(after.stdout)
    assert len(first["windows"]) > 5
    assert second["windows"] == first["windows"]


def test_a_table_is_adopted_evaluated_and_reported(pitfalls: Pitfalls, table: Path) -> None:
    out, live = table / "watched", table / "LIVE*.parquet"
    arguments = ["--reference", table / "REF.parquet", *COLUMNS, "--prediction-id", "id", "--rows", "200", "--out", out]
    (table / "columns.toml").write_text('[columns]\ntemp = { unit = "°C", description = "of the <air>" }\n', "utf-8")
    made = pitfalls("monitor", "init", *arguments, "--dictionary", table / "columns.toml", "--json")
    assert made.exit_code == 0, made.output
    recorded = read_dictionary(out / "monitor.toml")
    assert recorded == {
        "temp": ColumnSection(kind="number", unit="°C", description="of the <air>"),
        "origin": ColumnSection(kind="category"),
    }
    document = json.loads(made.stdout)
    assert (document["rows"], document["windows"], document["inputs"]) == (5400, 27, ["temp", "origin"])
    assert "Check:" not in made.stderr  # a table as one expects it
    assert {path.name for path in (out / "baseline").iterdir()} == {
        "baseline.json",
        "reference.parquet",
        "schema.pbtxt",
    }
    config = ("--config", out / "monitor.toml")
    run = pitfalls("monitor", "run", *config, "--traffic", live, "--json")
    assert run.exit_code == 0, run.output
    found = json.loads(run.stdout)
    assert (found["model"], [w["rows"] for w in found["windows"]]) == ("watched", [200] * 3)
    again = json.loads(pitfalls("monitor", "run", *config, "--traffic", live, "--json").stdout)
    assert again.pop("checked_at") > found.pop("checked_at")
    assert again == found
    assert json.loads(pitfalls("monitor", "status", *config, "--json").stdout).items() >= found.items()
    report = pitfalls("monitor", "report", *config, "--traffic", live, "--out", table / "report", "--no-drift")
    assert report.exit_code == 0, report.output
    page = (table / "report/report.html").read_text("utf-8")
    assert ("temp [°C]" in page, "of the &lt;air&gt;. " in page, "<air>" in page) == (True, True, False)
    without_traffic = pitfalls("monitor", "run", *config)
    assert (without_traffic.exit_code, "give --traffic" in without_traffic.stderr) == (2, True)


def test_a_reference_is_read_from_a_database(pitfalls: Pitfalls, tmp_path: Path) -> None:
    rows = own_rows(REFERENCE)
    with closing(sqlite3.connect(tmp_path / "scores.db")) as connection:
        rows.to_pandas().to_sql("scored", connection, index=False)
    (tmp_path / "scores.sql").write_text("SELECT * FROM scored WHERE ts >= '2013-01-01 00:00:00'\nORDER BY ts;\n")
    arguments = ["--reference", f"sqlite:///{tmp_path}/scores.db", "--query", f"@{tmp_path}/scores.sql", *COLUMNS]
    made = pitfalls("monitor", "init", *arguments, "--prediction-id", "id", "--out", tmp_path / "watched", "--json")
    assert made.exit_code == 0, made.output
    assert json.loads(made.stdout)["rows"] == rows.num_rows
    assert f"The query has {rows.num_rows:,} rows (sqlite:///{tmp_path}/scores.db)." in made.stderr


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((), "neither"),
        (("--bundle", "b", "--reference", "r"), "both"),
        (("--bundle", "b"), "no --traffic"),
        (("--bundle", "b", "--traffic", "t", "--score", "p"), "--score"),
        (("--reference", "REF.parquet"), "neither a score nor a predicted class"),
        (("--reference", "REF.parquet", "--score", "p"), "p (--score)"),
        (("--reference", "none.parquet", "--score", "p"), "none.parquet"),
        (("--bundle", "b", "--traffic", "t", "--query", "SELECT 1"), "--query"),
        (("--reference", "postgresql://host/a", "--score", "p"), "Add --query"),
        (("--reference", "sqlite:///a.db", "--query", "@none.sql", "--score", "p"), "none.sql"),
    ],
)
def test_flags_that_exclude_each_other_are_one_error(
    pitfalls: Pitfalls, table: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], part: str
) -> None:
    monkeypatch.chdir(table)
    result = pitfalls("monitor", "init", *arguments, "--out", "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr
    assert not Path("out").exists()


def contents(folder: Path) -> dict[str, bytes]:
    """Contents of every file below a folder."""
    return {
        path.relative_to(folder).as_posix(): path.read_bytes() for path in sorted(folder.rglob("*")) if path.is_file()
    }


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        (("--every", "7h"), '--every: not a window length. Got "7h"'),
        (("--timezone", "Mars/Base"), "--timezone: "),
        (("--class-slices", "truth"), "--class-slices: "),
        (("--traffic", "x\0y"), ""),
        (("--every", "366d"), "The reference is too short."),
        (("--features", "temp:number", "--slices", "temp"), "--slices"),
        (("--slices", "warmth"), "warmth"),
        (("--features", "origin:number"), "origin, a number: string"),
        (("--classes", "a,b"), "labels late, on_time"),
        (("--label", "temp"), "temp"),
    ],
)
def test_a_refused_init_writes_nothing_and_names_the_flag(
    pitfalls: Pitfalls, table: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], part: str
) -> None:
    monkeypatch.chdir(table)
    before = contents(table)
    flags = ("--reference", "REF.parquet", *COLUMNS, "--out", "new/out")
    result = pitfalls("monitor", "init", *flags, *arguments)
    assert (result.exit_code, result.stdout) == (2, ""), result.output
    assert part in result.stderr
    assert ".tmp" not in result.stderr
    assert contents(table) == before
    assert not Path("new").exists()


def test_a_refused_init_keeps_existing_files(pitfalls: Pitfalls, table: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(table)
    flags = ("monitor", "init", "--reference", "REF.parquet", *COLUMNS, "--out", "out", "--force")
    assert pitfalls(*flags, "--rows", "200").exit_code == 0
    before = contents(table)
    assert pitfalls(*flags, "--features", "origin:number").exit_code == 2
    assert contents(table) == before
    assert pitfalls(*flags, "--rows", "300").exit_code == 0
    assert "rows = 300" in Path("out/monitor.toml").read_text("utf-8")
    assert len(contents(table)) == len(before)  # the kept fit has another name


def test_a_folder_that_cannot_be_written_is_one_error(
    pitfalls: Pitfalls, table: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(table)
    Path("file").touch()
    before = contents(table)
    result = pitfalls("monitor", "init", "--reference", "REF.parquet", *COLUMNS, "--out", "file/out")
    assert (result.exit_code, result.stdout) == (3, "")
    assert "Got file/out: Not a directory" in result.stderr
    assert contents(table) == before


def test_a_move_that_fails_half_way_is_undone(tmp_path: Path) -> None:
    (tmp_path / "baseline").mkdir()
    (tmp_path / "baseline" / "old").touch()

    def move() -> None:
        with staging(tmp_path) as aside:
            (aside / "baseline").mkdir()
            put_in_place(aside, ("baseline", "monitor.toml"), tmp_path)

    with pytest.raises(CannotRun, match="The monitor's folder cannot be written"):
        move()
    assert list(contents(tmp_path)) == ["baseline/old"]
