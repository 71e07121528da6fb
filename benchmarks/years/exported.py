"""Writes the years as plain arrays for `benchmarks/alarm_bench`, which knows neither tables nor models."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pandas as pd

from benchmarks.years.charts import periods, weekly
from benchmarks.years.deployments import DEPLOYMENTS, YearsDeployment
from benchmarks.years.scored import KEPT, scored

#: Answers have four digits.
DIGITS = 10_000

KEPT_BENCH = Path(__file__).parents[1] / "alarm_bench" / "data"


def export(deployment: YearsDeployment, scored_years: Path, folder: Path) -> Path:
    """Write one deployment's rows as `NAME.npz`; minute 0 is the Monday of the first live week.

    Args:
        scored_years: A folder of scored rows, such as build/bench/years; what is missing there is made.
        folder: Where the file is written.
    """
    rows = scored(deployment, scored_years / deployment.name)
    origin = pd.Timestamp(deployment.first_week, tz="UTC")
    answers = [name for name in map(str, rows.columns) if name.startswith("p_")]
    classes = [name[2:] for name in answers]
    classes += sorted(set(rows["label"]) - set(classes))
    inputs = [name for name in map(str, rows.columns) if name not in {*KEPT, *answers, "row_id"}]
    is_category = [not pd.api.types.is_numeric_dtype(rows[name]) for name in inputs]
    columns = [
        np.where(rows[name].isna(), np.nan, pd.factorize(rows[name], sort=True)[0].astype(float))
        if category
        else rows[name].to_numpy(dtype=float)
        for name, category in zip(inputs, is_category, strict=True)
    ]
    harms: list[list[int]] = []
    was_harmed = False
    for period in periods(*weekly(deployment, rows)):
        if period.is_harmed and was_harmed:
            harms[-1][1] = period.end
        elif period.is_harmed:
            harms.append([period.first, period.end])
        was_harmed = period.is_harmed
    path = folder / f"{deployment.name}.npz"
    np.savez_compressed(
        path,
        title=np.array(deployment.title),
        minute=_minutes(rows["time"], origin),
        label_minute=_minutes(rows["label_time"], origin),
        label=np.array([classes.index(name) for name in rows["label"]], dtype=np.int16),
        scores=np.rint(rows[answers].to_numpy() * DIGITS).astype(np.uint16),
        classes=np.array(classes),
        inputs=np.stack(columns, axis=1).astype(np.float32),
        names=np.array(inputs),
        is_category=np.array(is_category),
        harms=np.array(harms, dtype=np.int64).reshape(-1, 2),
    )
    return path


def _minutes(times: pd.Series[pd.Timestamp], origin: pd.Timestamp) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    return np.asarray((times - origin) // pd.Timedelta(minutes=1), dtype=np.int64)


if __name__ == "__main__":
    for each in DEPLOYMENTS:
        print(export(each, Path(sys.argv[1]), KEPT_BENCH))
