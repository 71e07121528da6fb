"""``pitfalls monitor init --bundle``."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from click.testing import Result

from monitoring.baseline.folder import write_baseline
from monitoring.baseline.schema import infer_schema, write_schema
from monitoring.config import load_config
from tests.own_table import REFERENCE, own_rows
from tests.small_deployment import FIRST, SPEC, Days, bundle, days, deploy, deployed, send, table_of

__all__ = ["bundle", "days", "deploy", "deployed", "send"]

Pitfalls = Callable[..., Result]


def test_init_writes_a_valid_config_and_overwrites_only_with_force(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    send(deployed, days(days=4))
    arguments = ["--bundle", deployed / "models" / "flights", "--traffic", deployed / "traffic", "--slices", "origin"]
    out = tmp_path / "new"
    made = pitfalls("monitor", "init", *arguments, "--out", out, "--json")
    assert made.exit_code == 0, made.output
    document = json.loads(made.stdout)
    assert document["config"] == str(out / "monitor.toml")
    assert [note.split(" ", 3)[:3] for note in document["notes"]] == [
        ["The", "reference", "covers"],
        ["Windows", "have", "60"],
    ]
    assert pitfalls("monitor", "run", "--config", out / "monitor.toml").exit_code == 0
    refused = pitfalls("monitor", "init", *arguments, "--out", out)
    assert (refused.exit_code, "There is a config already" in refused.stderr) == (2, True)
    entry = 'temp = { kind = "number", unit = "°C" }\n'
    (tmp_path / "columns.toml").write_text(f"[columns]\n{entry}", "utf-8")
    arguments += ["--force", "--dictionary", tmp_path / "columns.toml"]
    assert pitfalls("monitor", "init", *arguments, "--out", out, "--exclude-caller", "a").exit_code == 0
    assert (out / "monitor.toml").read_text("utf-8").endswith(f"[columns]\n{entry}")
    (tmp_path / "columns.toml").write_text('[columns]\ntemp = { kind = "category" }\n', "utf-8")
    contradicted = pitfalls("monitor", "init", *arguments, "--out", out)
    assert (contradicted.exit_code, 'temp: kind = "category", and it is a number' in contradicted.stderr) == (2, True)
    assert 'exclude_callers = ["a"]' in (out / "monitor.toml").read_text()
    table = pitfalls("monitor", "init", "--reference", out / "none.csv", "--exclude-caller", "a")
    assert (table.exit_code, "Callers are known in a traffic log only" in table.stderr) == (2, True)


def test_init_refuses_an_unknown_slice_and_writes_nothing(
    pitfalls: Pitfalls, deployed: Path, send: Callable[..., None], days: Any, tmp_path: Path
) -> None:
    send(deployed, days(days=1))
    out = tmp_path / "new"
    arguments = ["--bundle", deployed / "models" / "flights", "--traffic", deployed / "traffic", "--slices", "temp"]
    result = pitfalls("monitor", "init", *arguments, "--out", out)
    assert result.exit_code == 2
    assert "'temp'" in result.stderr
    assert not out.exists()


def test_a_file_as_the_output_folder_is_refused(pitfalls: Pitfalls, deployed: Path, tmp_path: Path) -> None:
    result = pitfalls("monitor", "init", "--bundle", deployed / "models" / "flights", "--out", tmp_path / "mine.toml")
    assert (result.exit_code, "--out is a folder" in result.stderr) == (2, True)
    assert not (tmp_path / "mine.toml").exists()


def test_a_bundle_with_a_baseline_of_four_windows_is_refused_before_anything_is_written(
    pitfalls: Pitfalls, tmp_path: Path
) -> None:
    extras = tmp_path / "models" / "flights" / "1" / "assets.extra"
    table = table_of(Days(days=4, start=FIRST, seed=1))
    write_baseline(table, folder=extras / "baseline", spec=SPEC)
    write_schema(infer_schema(table.select(["temp", "origin", "label"]), label="label"), extras / "schema.pbtxt")
    bundle = tmp_path / "models" / "flights"
    out = tmp_path / "out"
    result = pitfalls("monitor", "init", "--bundle", bundle, "--traffic", tmp_path / "traffic", "--out", out)
    assert result.exit_code == 2
    assert "The baseline is too short: no watch has enough windows" in result.stderr
    assert not (out / "monitor.toml").exists()


COLUMNS = ("--event-time", "ts", "--score", "on_time,late", "--label", "y", "--label-time", "known_at")
CODE = 'def missed(rows):\n    return (rows.label == "late") & (rows["temp"] > 50)\n'


@pytest.fixture
def init(pitfalls: Pitfalls, tmp_path: Path) -> Callable[..., Result]:
    pq.write_table(own_rows(REFERENCE), tmp_path / "REF.parquet")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "own.py").write_text(CODE)
    arguments = ("--reference", tmp_path / "REF.parquet", *COLUMNS, "--prediction-id", "id", "--out", tmp_path / "out")
    return lambda *more: pitfalls("monitor", "init", *arguments, *more)


def test_a_metric_next_to_the_config_is_tried_and_written(init: Callable[..., Result], tmp_path: Path) -> None:
    made = init("--metric", "missed=own:missed,temp", "--json")
    assert made.exit_code == 0, made.output
    (metric,) = load_config(Path(json.loads(made.stdout)["config"])).metric
    assert (metric.name, metric.function, metric.inputs) == ("missed", "own:missed", ("temp",))
    assert metric.folder == tmp_path / "out"


@pytest.mark.parametrize(
    ("option", "said"),
    [
        ("missed", "A metric needs a name and a function. Got --metric missed"),
        ("missed=own", "--metric: not the place of a function"),
        ("missed=nowhere:missed", "no module nowhere of Python source"),
        ("missed=own:other", "no function other"),
    ],
)
def test_what_is_no_metric_is_one_error_before_anything_is_made(
    init: Callable[..., Result], tmp_path: Path, option: str, said: str
) -> None:
    made = init("--metric", option)
    assert (made.exit_code, made.stdout) == (2, "")
    assert said in made.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["own.py"]


def test_labels_of_another_id_column_are_refused_before_anything_is_made(
    init: Callable[..., Result], tmp_path: Path
) -> None:
    labels = tmp_path / "outcomes.csv"
    labels.write_text("customer,y\nC1,late\n")
    made = init("--traffic", tmp_path / "live", "--live-labels", labels)
    assert (made.exit_code, made.stdout) == (2, "")
    assert "The table of labels outcomes.csv cannot be joined. Got no column id; expected id, y" in made.stderr
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["own.py"]
    assert init("--traffic", tmp_path / "live", "--live-labels", tmp_path / "to_come").exit_code == 0


def test_a_quantile_is_of_a_number(init: Callable[..., Result]) -> None:
    made = init("--quantile", "0.9")
    assert made.exit_code == 2
    assert "A quantile is predicted by a model that predicts a number." in made.stderr
    assert init("--quantile", "90").exit_code == 2
