"""NannyML's own datasets at equal false alarms: NannyML and Evidently with thresholds tuned on the reference alone."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.monitor_peers import numbers_of, peer_python, texts_of
from benchmarks.truth.nannyml_datasets import (
    CHUNK,
    DATASETS,
    SCRIPT,
    Dataset,
    alarms_of_monitor,
    as_texts,
    chunks,
    inputs_of,
    losses_by_chunk,
    rise_of_loss,
    write_datasets,
)

SEED = 20_130_813

#: Random splits of the days of a reference: two chunks are judged by the rest.
SPLITS, SPLITS_QUICK = 40, 4

#: Of these so many are judged by Evidently and by this monitor, which take seconds for each.
FEWER = 10

#: False pages of this monitor in 365 windows, measured by `truth.lender.harms`.
PAGES = 0.95
YEAR = 365

Floats = NDArray[np.float64]
Scores = Mapping[str, Floats]


def measure(settings: Settings) -> Result:
    """Measure all of them on each dataset. Cost: half an hour of a core; results of both others are reused."""
    folder = write_datasets(settings.out)
    chosen = DATASETS[:1] if settings.quick else DATASETS
    rows: list[tuple[Cell, ...]] = []
    for dataset in chosen:
        reference, later = (
            pd.read_parquet(folder / f"{dataset.name}-{part}.parquet") for part in ("reference", "later")
        )
        orders = split_orders(reference, SPLITS_QUICK if settings.quick else SPLITS)
        np.save(folder / f"{dataset.name}-orders.npy", orders)
        clean, after = peer_scores(dataset, folder, settings.out, (reference, later), orders)
        rows += [(dataset.title, *row) for row in compared(dataset, reference, later, orders, clean, after)]
        print(dataset.title, file=sys.stderr, flush=True)
    table = Table(
        title="NannyML's datasets, at equal false alarms",
        columns=("dataset", "monitor", "threshold", "false alarms in 365 windows", "first alarm", "before the rise"),
        rows=tuple(rows),
        note=(
            "Thresholds of NannyML (standard deviations on both sides; default 3) and of Evidently (distance; .1)"
            f" are set on the reference alone, each signal by itself, for {PAGES} false alarms in {YEAR} windows of"
            f" this monitor: of {SPLITS} random splits of the reference's days two chunks of {CHUNK:,} rows are"
            f" judged by the other rows, for Evidently of {FEWER}. This monitor, at its defaults, is judged by {FEWER}."
            " First alarm in thousand rows."
        ),
    )
    return Result(tables=(table,))


def split_orders(reference: pd.DataFrame, splits: int) -> NDArray[np.int64]:
    """Places of a reference's rows with its days in random orders; of rows without days those in random orders.

    Returns:
        int64 [splits, rows].
    """
    rng = np.random.default_rng(SEED)
    days = np.arange(len(reference))
    if "timestamp" in reference:
        days = pd.to_datetime(reference["timestamp"]).dt.date.factorize()[0]
    return np.array([np.argsort(rng.permutation(days.max() + 1)[days], kind="stable") for _ in range(splits)])


def peer_scores(
    dataset: Dataset, folder: Path, out: Path, parts: tuple[pd.DataFrame, pd.DataFrame], orders: NDArray[np.int64]
) -> tuple[Scores, Scores]:
    """How far each chunk is from the reference by NannyML and Evidently: clean ones of the splits, and later ones."""
    nannyml = folder / f"{dataset.name}-scores.json"
    if not nannyml.is_file():
        quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
        python, arguments = peer_python(out / "nannyml"), (dataset.name, dataset.label)
        subprocess.run([python, SCRIPT, folder, *arguments], check=True, env=quiet, stdout=subprocess.DEVNULL)
    evidently = folder / f"{dataset.name}-evidently.json"
    if not evidently.is_file():
        names = inputs_of(parts[0], dataset)
        reference, later = (as_texts(part[names]) for part in parts)
        of_splits = [evidently_scores(*split(reference, order)) for order in orders[:FEWER]]
        scores = {
            "clean": {key: [value for each in of_splits for value in each[key]] for key in of_splits[0]},
            "later": {key: list(values) for key, values in evidently_scores(reference, later).items()},
        }
        evidently.write_text(json.dumps(scores), "utf-8")
    read = [json.loads(path.read_text("utf-8")) for path in (nannyml, evidently)]
    clean, after = (
        {k: np.array(v) for document in read for k, v in document[part].items()} for part in ("clean", "later")
    )
    return clean, after


def split(reference: pd.DataFrame, order: NDArray[np.int64]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The rows that judge, and the two chunks that are judged."""
    rows = reference.iloc[order].reset_index(drop=True)
    return rows.iloc[2 * CHUNK :].reset_index(drop=True), rows.iloc[: 2 * CHUNK].reset_index(drop=True)


def evidently_scores(reference: pd.DataFrame, later: pd.DataFrame) -> dict[str, list[float]]:
    """The largest distance of a column in each chunk, and the largest that half of the columns have or exceed."""
    os.environ["DO_NOT_TRACK"] = "1"
    from evidently import DataDefinition, Report  # noqa: PLC0415  # seconds
    from evidently import Dataset as EvidentlyDataset  # noqa: PLC0415  # as above
    from evidently.presets import DataDriftPreset  # noqa: PLC0415  # as above

    names = list(map(str, reference))
    definition = DataDefinition(
        numerical_columns=numbers_of(reference, names), categorical_columns=texts_of(reference, names)
    )
    then = EvidentlyDataset.from_pandas(reference, data_definition=definition)
    by_rule: dict[str, list[float]] = {"Evidently, dataset drift": [], "Evidently, any column": []}
    for part in chunks(later):
        now = EvidentlyDataset.from_pandas(part, data_definition=definition)
        metrics = Report([DataDriftPreset()]).run(now, then).dict()["metrics"]
        distances = sorted(
            float(metric["value"]) for metric in metrics if metric["metric_name"].startswith("ValueDrift")
        )
        by_rule["Evidently, any column"].append(distances[-1])
        by_rule["Evidently, dataset drift"].append(distances[len(distances) // 2])
    return by_rule


def threshold_of(clean: Floats, share: float) -> float:
    """The least threshold that at most a share of clean scores exceed: as many as may, do.

    >>> threshold_of(np.arange(100.0), 0.031), threshold_of(np.arange(10.0), 0.02)
    (96.0, 9.0)

    Args:
        clean: Scores, [n].
    """
    return float(np.sort(clean)[-1 - int(share * clean.size)])


def compared(
    dataset: Dataset,
    reference: pd.DataFrame,
    later: pd.DataFrame,
    orders: NDArray[np.int64],
    clean: Scores,
    after: Scores,
) -> list[tuple[Cell, ...]]:
    """A row for this monitor, and for each signal of the others."""
    begins = rise_of_loss(losses_by_chunk(reference, dataset.label), losses_by_chunk(later, dataset.label))
    windows = windows_of(dataset, reference)
    ours = alarms_of_monitor(dataset, reference, later)["this monitor, pages"]
    pages = [
        len(alarms_of_monitor(dataset, *dated_split(reference, order))["this monitor, pages"])
        for order in orders[:FEWER]
    ]
    judged = len(pages) * 2 * CHUNK / len(reference) * windows
    rows: list[tuple[Cell, ...]] = [
        ("(the loss rises from here)", None, None, None if begins is None else begins / 1000, None),
        ("this monitor, pages", "defaults", YEAR * sum(pages) / judged, *_first(ours, begins)),
    ]
    ends = [min((place + 1) * CHUNK, len(later)) for place in range(-(-len(later) // CHUNK))]
    per_chunk = windows * CHUNK / len(reference)
    for name, scores in clean.items():
        limit = threshold_of(scores, PAGES * per_chunk / YEAR)
        alarms = [end for end, score in zip(ends, after[name], strict=True) if score > limit]
        title = name if name.startswith("Evidently") else f"NannyML, {name}"
        rows.append((title, limit, YEAR * float((scores > limit).mean()) / per_chunk, *_first(alarms, begins)))
    return rows


def _first(alarms: Sequence[int], begins: int | None) -> tuple[Cell, Cell]:
    """The first alarm in thousand rows, and how many come before the loss rises."""
    return alarms[0] / 1000 if alarms else None, sum(1 for end in alarms if begins is None or end <= begins)


def windows_of(dataset: Dataset, reference: pd.DataFrame) -> float:
    """How many windows of this monitor the reference has."""
    if "timestamp" in reference:
        return float(pd.to_datetime(reference["timestamp"]).dt.date.nunique())
    return len(reference) / int(dataset.table_fields["rows"])


def dated_split(reference: pd.DataFrame, order: NDArray[np.int64]) -> tuple[pd.DataFrame, pd.DataFrame]:
    """A split as a monitor of days needs it: with days one after the other, those that judge first.

    Returns:
        The rows that judge, and those of the whole days of the two chunks that are judged.
    """
    if "timestamp" not in reference:
        return split(reference, order)
    rows = reference.iloc[order].reset_index(drop=True)
    times = pd.to_datetime(rows["timestamp"])
    codes = times.dt.date.factorize()[0]
    judged = codes <= codes[2 * CHUNK - 1]
    place = np.where(judged, codes + codes.max() + 1, codes)
    moved = pd.Timestamp("2015-01-01") + pd.to_timedelta(place, unit="D") + (times - times.dt.normalize())
    rows = rows.assign(timestamp=moved)
    return rows[~judged].reset_index(drop=True), rows[judged].reset_index(drop=True)
