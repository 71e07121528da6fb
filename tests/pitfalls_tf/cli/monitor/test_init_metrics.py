"""``pitfalls monitor init --metric`` and ``--quantile``: written into the config, and tried on the baseline before."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from click.testing import Result

from monitoring.config import load_config
from tests.own_table import REFERENCE, own_rows

Pitfalls = Callable[..., Result]
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


def test_a_quantile_is_of_a_number(init: Callable[..., Result]) -> None:
    made = init("--quantile", "0.9")
    assert made.exit_code == 2
    assert "A quantile is predicted by a model that predicts a number." in made.stderr
    assert init("--quantile", "90").exit_code == 2
