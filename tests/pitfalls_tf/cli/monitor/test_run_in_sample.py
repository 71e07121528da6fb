"""``pitfalls monitor`` with a reference of the rows that the model was fitted on."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from click.testing import Result

Pitfalls = Callable[..., Result]

ROWS, FIT_DAYS, LIVE_DAYS = 200, 21, 8


def incomes_and_labels(days: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Incomes [days, rows] in thousands, and who defaults."""
    rng = np.random.default_rng(seed)
    income = rng.lognormal(1.0, 0.4, (days, ROWS))
    return income, rng.random((days, ROWS)) < 1.0 / (1.0 + np.exp((income - 3.0) / 0.4))


def nearest_neighbour(fitted: tuple[np.ndarray, np.ndarray], income: np.ndarray) -> np.ndarray:
    """A model that knows its own rows by heart: the answer of the nearest row it was fitted on."""
    order = np.argsort(fitted[0], axis=None)
    known, labels = fitted[0].ravel()[order], fitted[1].ravel()[order]
    place = np.clip(np.searchsorted(known, income), 1, known.size - 1)
    place -= income - known[place - 1] < known[place] - income
    return np.where(labels[place], 0.95, 0.05)


def table(first: str, income: np.ndarray, answers: np.ndarray, labels: np.ndarray) -> pa.Table:
    days = np.datetime64(first, "us") + np.arange(len(income)) * np.timedelta64(1, "D")
    times = (days[:, None] + np.arange(ROWS) * np.timedelta64(5, "m")).ravel()
    return pa.table(
        {
            "ts": pa.array(times, pa.timestamp("us", tz="UTC")),
            "income": income.ravel(),
            "p": answers.ravel(),
            "y": labels.ravel().astype(int),
        }
    )


def test_a_reference_of_training_rows_is_told_at_init_and_by_the_first_labels(
    pitfalls: Pitfalls, tmp_path: Path
) -> None:
    fitted, live = incomes_and_labels(FIT_DAYS, 1), incomes_and_labels(LIVE_DAYS, 2)
    pq.write_table(
        table("2024-01-01", fitted[0], nearest_neighbour(fitted, fitted[0]), fitted[1]), tmp_path / "REF.parquet"
    )
    pq.write_table(table("2024-03-01", live[0], nearest_neighbour(fitted, live[0]), live[1]), tmp_path / "LIVE.parquet")
    columns = ("--event-time", "ts", "--score", "p", "--label", "y", "--traffic", tmp_path / "LIVE.parquet")
    made = pitfalls("monitor", "init", "--reference", tmp_path / "REF.parquet", *columns, "--out", tmp_path / "shop")
    assert made.exit_code == 0, made.output
    assert "The model is wrong in 0.0% of 4,200 labelled rows" in made.stderr
    result = pitfalls("monitor", "run", "--config", tmp_path / "shop" / "monitor.toml", "--json")
    found = json.loads(result.stdout)
    told = next(one for one in found["findings"] if one["kind"] == "in-sample baseline")
    assert (told["windows"], told["fact"]) == (5, False)
    assert told["message"].startswith("The baseline's scores look in-sample: error rate 0.0 % there, ")
    assert "in the first 7 labelled windows" in told["message"]
    assert result.exit_code == 1, "the first days are paged as before"
