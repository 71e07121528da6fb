"""``pitfalls monitor export``."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.csv as pa_csv
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from monitoring.records import IncidentAction
from monitoring.store import Store
from tests.dashboard_store import HOSTILE, NOW, WINDOWS, fill
from tests.small_deployment import CONFIG

Pitfalls = Callable[..., Result]


@pytest.fixture
def place(tmp_path: Path) -> tuple[str, ...]:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    with Store.open(f"sqlite:///{tmp_path / 'pitfalls.db'}") as store:
        fill(store, "flights", label=HOSTILE)
    return ("--config", str(tmp_path / "monitor.toml"), "--deployment", "1")


def test_what_was_judged_is_a_parquet_or_csv_file(tmp_path: Path, place: tuple[str, ...], pitfalls: Pitfalls) -> None:
    result = pitfalls("monitor", "export", "--to", tmp_path / "scores.parquet", *place, "--json")
    assert result.exit_code == 0, result.output
    document = json.loads(result.stdout)
    assert document["rows"] == pq.read_table(tmp_path / "scores.parquet").num_rows > WINDOWS
    assert pitfalls("monitor", "export", "--to", tmp_path / "w.csv", "--table", "windows", *place).exit_code == 0
    assert pa_csv.read_csv(tmp_path / "w.csv").num_rows == WINDOWS
    assert pitfalls("monitor", "export", "--to", tmp_path / "i.csv", "--table", "incidents", *place).exit_code == 0
    assert pitfalls("monitor", "export", "--to", tmp_path / "m.csv", "--table", "metrics", *place).exit_code == 0
    assert "benchmark_low" in (tmp_path / "m.csv").read_text()
    options = pa_csv.ParseOptions(newlines_in_values=True)
    assert HOSTILE in pa_csv.read_csv(tmp_path / "i.csv", parse_options=options)["cause"].to_pylist()[0]


@pytest.mark.parametrize("table", ["scores", "incidents"])
def test_no_cell_of_a_csv_file_is_a_formula(tmp_path: Path, pitfalls: Pitfalls, table: str) -> None:
    (tmp_path / "monitor.toml").write_text(CONFIG)
    with Store.open(f"sqlite:///{tmp_path / 'pitfalls.db'}") as store:
        number = fill(store, "flights", label='=HYPERLINK("http://evil.example")')
        [incident, *_] = store.incidents.read(number)
        owned = IncidentAction(at=NOW, by="eve", kind="assign", text="=cmd|' /C calc'!A0")
        store.incidents.act(number, incident.number, owned)
    place = ("--config", tmp_path / "monitor.toml", "--deployment", str(number), "--table", table)
    assert pitfalls("monitor", "export", "--to", tmp_path / "x.csv", *place).exit_code == 0
    with (tmp_path / "x.csv").open(newline="") as file:
        cells = [cell for row in csv.reader(file) for cell in row]
    assert not [cell for cell in cells if cell.startswith(("=", "+", "@", "\t", "\r"))]
    assert not [cell for cell in cells if cell.startswith("-") and not cell[1:2].isdigit()]
    assert table != "incidents" or "'=cmd|' /C calc'!A0" in cells


@pytest.mark.parametrize(
    ("name", "part"), [("scores.xlsx", "--to does not name a table."), ("no/scores.csv", "The folder of --to is not")]
)
def test_another_kind_of_file_is_refused(
    tmp_path: Path, place: tuple[str, ...], pitfalls: Pitfalls, name: str, part: str
) -> None:
    result = pitfalls("monitor", "export", "--to", tmp_path / name, *place)
    assert (result.exit_code, result.stdout) == (2, "")
    assert part in result.stderr
    assert not (tmp_path / name).exists()
