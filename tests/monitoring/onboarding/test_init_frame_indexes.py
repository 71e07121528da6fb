"""A frame's index that pandas wrote as a column: no input of a reference, and nothing new in traffic."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from click.testing import Result

from monitoring.traffic.tables.columns import index_columns

Pitfalls = Callable[..., Result]


def frame(days: int, first: str, seed: int = 0) -> pd.DataFrame:
    """40 rows a day, of which a few are filtered out, so that the index is no range."""
    rng, count = np.random.default_rng(seed), days * 40
    x = rng.normal(size=count)
    p = 1 / (1 + np.exp(-x))
    when = pd.Timestamp(first, tz="UTC") + pd.to_timedelta(np.arange(count) * 36, unit="min")
    found = pd.DataFrame({"ts": when, "x": x, "p": p, "y": (rng.random(count) < p).astype(int)})
    return found[found["x"] < 2.9]


def with_csv(table: pd.DataFrame, path: Path) -> Path:
    """As CSV, with the index before the columns."""
    table.to_csv(path.with_suffix(".csv"))
    return path.with_suffix(".csv")


def with_parquet(table: pd.DataFrame, path: Path) -> Path:
    """As Parquet, with the index behind the columns."""
    table.to_parquet(path)
    return path


def with_a_nameless_column(table: pd.DataFrame, path: Path) -> Path:
    """As Parquet, with a column whose name is empty."""
    found = pa.Table.from_pandas(table, preserve_index=False)
    pq.write_table(found.append_column("", pa.array(np.arange(found.num_rows))), path)
    return path


def with_a_named_index(table: pd.DataFrame, path: Path) -> Path:
    """As Parquet, with an index that has a name."""
    table.rename_axis("place").to_parquet(path)
    return path


@pytest.fixture
def init(pitfalls: Pitfalls, tmp_path: Path) -> Callable[..., Result]:
    """`monitor init` on a file."""

    def run(reference: Path, *more: str) -> Result:
        asked = ("--event-time", "ts", "--score", "p", "--label", "y", "--rows", "50", "--out", tmp_path / "out")
        return pitfalls("monitor", "init", "--reference", reference, *asked, *more)

    return run


@pytest.fixture
def run(pitfalls: Pitfalls, tmp_path: Path) -> Callable[[Path], dict[str, Any]]:
    """`monitor run` on a file, as JSON."""

    def judged(live: Path) -> dict[str, Any]:
        config = tmp_path / "out" / "monitor.toml"
        result = pitfalls("monitor", "run", "--config", config, "--traffic", live, "--json")
        assert result.exit_code == 0, result.output
        found: dict[str, Any] = json.loads(result.stdout)
        return found

    return judged


@pytest.mark.parametrize(
    ("write", "told"),
    [
        (with_csv, "No inputs: a column without a name."),
        (with_a_nameless_column, "No inputs: a column without a name."),
        (with_parquet, "No inputs: __index_level_0__ (an index of pandas)."),
        (with_a_named_index, "No inputs: place (an index of pandas)."),
    ],
)
def test_an_index_is_no_input_and_init_says_so(
    init: Callable[..., Result],
    run: Callable[[Path], dict[str, Any]],
    tmp_path: Path,
    write: Callable[[pd.DataFrame, Path], Path],
    told: str,
) -> None:
    result = init(write(frame(12, "2024-01-01"), tmp_path / "REF.parquet"))
    assert result.exit_code == 0, result.output
    assert told in result.stderr
    baseline = json.loads((tmp_path / "out" / "baseline" / "baseline.json").read_text())
    assert [feature["name"] for feature in baseline["features"]] == ["x"]
    found = run(write(frame(4, "2024-02-01", seed=1), tmp_path / "LIVE.parquet"))
    assert [window["rows"] for window in found["windows"]] == [50] * 3
    assert found["findings"] == []


@pytest.mark.parametrize("write", [with_parquet, with_a_named_index])
def test_an_index_in_traffic_alone_is_not_told_as_a_new_column(
    init: Callable[..., Result],
    run: Callable[[Path], dict[str, Any]],
    tmp_path: Path,
    write: Callable[[pd.DataFrame, Path], Path],
) -> None:
    plain = frame(12, "2024-01-01").reset_index(drop=True)
    plain.to_parquet(tmp_path / "REF.parquet")
    assert init(tmp_path / "REF.parquet").exit_code == 0
    assert run(write(frame(4, "2024-02-01", seed=1), tmp_path / "LIVE.parquet"))["findings"] == []


def test_an_index_that_is_named_as_an_input_is_one(init: Callable[..., Result], tmp_path: Path) -> None:
    reference = with_a_named_index(frame(12, "2024-01-01"), tmp_path / "REF.parquet")
    assert init(reference, "--features", "x,place").exit_code == 0
    baseline = json.loads((tmp_path / "out" / "baseline" / "baseline.json").read_text())
    assert [feature["name"] for feature in baseline["features"]] == ["x", "place"]


def test_a_column_without_a_name_cannot_be_asked_for(init: Callable[..., Result], tmp_path: Path) -> None:
    result = init(with_csv(frame(12, "2024-01-01"), tmp_path / "REF.parquet"), "--features", "x,:number")
    assert result.exit_code == 2
    assert "Not an input. Got a column without a name" in result.stderr


@pytest.mark.parametrize(
    "metadata", [b"", b"[]", b"{", b'{"index_columns": 3}', b'{"index_columns": [{"kind": "range"}]}']
)
def test_metadata_that_says_no_index_is_passed_over(metadata: bytes) -> None:
    assert index_columns(pa.schema([("x", pa.int64())], metadata={b"pandas": metadata})) == frozenset()
