"""The three commands on a table of one's own."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import Result

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


def test_a_table_is_adopted_judged_and_reported(pitfalls: Pitfalls, table: Path) -> None:
    out, live = table / "watched", table / "LIVE*.parquet"
    arguments = ["--reference", table / "REF.parquet", *COLUMNS, "--prediction-id", "id", "--rows", "200", "--out", out]
    made = pitfalls("monitor", "init", *arguments, "--json")
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert (document["rows"], document["windows"], document["inputs"]) == (5400, 27, ["temp", "origin"])
    assert "not fitted on" in made.stderr
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
    assert json.loads(pitfalls("monitor", "run", *config, "--traffic", live, "--json").stdout) == found
    assert json.loads(pitfalls("monitor", "status", *config, "--json").stdout) == found
    report = pitfalls("monitor", "report", *config, "--traffic", live, "--out", table / "report", "--no-drift")
    assert report.exit_code == 0, report.output
    unsaid = pitfalls("monitor", "run", *config)
    assert (unsaid.exit_code, "give --traffic" in unsaid.stderr) == (2, True)


@pytest.mark.parametrize(
    ("arguments", "part"),
    [
        ((), "neither of them"),
        (("--bundle", "b", "--reference", "r"), "both"),
        (("--bundle", "b"), "no --traffic"),
        (("--bundle", "b", "--traffic", "t", "--score", "p"), "--score"),
        (("--reference", "REF.parquet"), "neither a score nor a predicted class"),
        (("--reference", "REF.parquet", "--score", "p"), "event_time (--event-time), p (--score)"),
        (("--reference", "none.parquet", "--score", "p"), "none.parquet"),
    ],
)
def test_what_does_not_go_together_is_one_error(
    pitfalls: Pitfalls, table: Path, monkeypatch: pytest.MonkeyPatch, arguments: tuple[str, ...], part: str
) -> None:
    monkeypatch.chdir(table)
    result = pitfalls("monitor", "init", *arguments, "--out", "out")
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr
    assert not Path("out").exists()
