"""NannyML's own datasets: the first alarms of this monitor, of NannyML and of Evidently, all at their defaults."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.monitor_peers import evidently_preset, peer_python
from monitoring import Monitor

#: Rows of a chunk of NannyML's and of Evidently's, as in NannyML's tutorials.
CHUNK = 5_000

SCRIPT = Path(__file__).with_name("nannyml_datasets_script.py")
LATER = datetime(2026, 1, 1, tzinfo=UTC)

#: The columns of the answers in all datasets, which are no inputs.
ANSWERS = ("y_pred", "prediction")


@dataclass(frozen=True, slots=True, kw_only=True)
class Dataset:
    """One of NannyML's datasets, and how its table is described to this monitor.

    Attributes:
        name: What its files are called.
        title: What it is.
        label: The column of labels.
        table_fields: Fields of `monitoring.onboarding.table_description.described`.
    """

    name: str
    title: str
    label: str
    table_fields: Mapping[str, Any] = field(default_factory=dict)


CARDS = ("prepaid_card", "highstreet_card", "upmarket_card")
DATASETS = (
    Dataset(name="car_loan", title="car loan", label="repaid", table_fields={"scores": ("y_pred_proba",)}),
    Dataset(
        name="multiclass",
        title="credit cards, three classes",
        label="y_true",
        table_fields={"scores": tuple(f"y_pred_proba_{card}" for card in CARDS), "classes": CARDS},
    ),
    Dataset(
        name="car_price", title="car price", label="y_true", table_fields={"predicted": "y_pred", "task": "regression"}
    ),
    Dataset(
        name="census",
        title="census, employment",
        label="employed",
        table_fields={"scores": ("predicted_probability",), "rows": 2_000, "ignore": ("year",)},
    ),
)


def measure(settings: Settings) -> Result:
    """Measure all of them on each dataset. Cost: some six minutes of a core; NannyML's results are reused."""
    folder = write_datasets(settings.out)
    chosen = DATASETS[:1] if settings.quick else DATASETS
    rows: list[tuple[Cell, ...]] = []
    for dataset in chosen:
        reference, later = (
            pd.read_parquet(folder / f"{dataset.name}-{part}.parquet") for part in ("reference", "later")
        )
        alerts = json.loads((folder / f"{dataset.name}-alerts.json").read_text("utf-8"))
        rows += [(dataset.title, *row) for row in dataset_rows(dataset, reference, later, alerts)]
        print(dataset.title, file=sys.stderr)
    table = Table(
        title="NannyML's datasets, everything at its defaults",
        columns=("dataset", "monitor", "first alarm, thousand rows", "alarms before the loss rose"),
        rows=tuple(rows),
        note=(
            "Rows after the reference until the end of the first window, or chunk, that alarms. The loss has risen from"
            " the first chunk on whose own and next realised error (mean absolute error) exceed those of every"
            f" reference chunk. NannyML and Evidently judge chunks of {CHUNK:,} rows by themselves; this monitor judges"
            " days, of the census windows of 2,000 rows, against one budget. Labels are there at once."
        ),
    )
    return Result(tables=(table,))


def write_datasets(out: Path) -> Path:
    """Write the datasets and NannyML's alerts, unless they are there.

    Args:
        out: The folder of results, in which NannyML's environment is made.
    """
    folder = out / "nannyml-datasets"
    folder.mkdir(parents=True, exist_ok=True)
    if not all((folder / f"{dataset.name}-alerts.json").is_file() for dataset in DATASETS):
        quiet = {**os.environ, "NML_DISABLE_USAGE_LOGGING": "1"}
        python = peer_python(out / "nannyml")
        subprocess.run([python, SCRIPT, folder], check=True, env=quiet, stdout=subprocess.DEVNULL)
    return folder


def inputs_of(rows: pd.DataFrame, dataset: Dataset) -> list[str]:
    """The columns that are inputs."""
    others = {dataset.label, "id", "timestamp", "year", *ANSWERS}
    return [name for name in map(str, rows) if name not in others and "prob" not in name]


def dataset_rows(
    dataset: Dataset, reference: pd.DataFrame, later: pd.DataFrame, alerts: Mapping[str, Sequence[bool]]
) -> list[tuple[Cell, ...]]:
    """A row for each monitor, and first the one that says where the loss rises."""
    begins = rise_of_loss(losses_by_chunk(reference, dataset.label), losses_by_chunk(later, dataset.label))
    flags: dict[str, np.ndarray[Any, Any]] = {
        "NannyML, univariate drift": np.array(alerts["drift"]),
        "NannyML, estimated performance": np.array(alerts["estimated"]),
        "NannyML, realised performance": np.array(alerts["realised"]),
    }
    inputs = inputs_of(reference, dataset)
    flags |= evidently_preset([as_texts(reference[inputs])], [as_texts(part[inputs]) for part in chunks(later)])
    table_rows: list[tuple[Cell, ...]] = [
        ("(the loss rises from here)", None if begins is None else begins / 1000, None)
    ]
    ends = [min((place + 1) * CHUNK, len(later)) for place in range(-(-len(later) // CHUNK))]
    ours = alarms_of_monitor(dataset, reference, later)
    of_all = {
        **ours,
        **{name: [end for end, at in zip(ends, flag_list, strict=True) if at] for name, flag_list in flags.items()},
    }
    for name, rows in of_all.items():
        before = sum(1 for end in rows if begins is None or end <= begins)
        table_rows.append((name, rows[0] / 1000 if rows else None, before))
    return table_rows


def alarms_of_monitor(dataset: Dataset, reference: pd.DataFrame, later: pd.DataFrame) -> dict[str, list[int]]:
    """How many rows had come when this monitor opened each page, and each page or notice."""
    arguments = dict(dataset.table_fields) | {"label": dataset.label, "prediction_id": "id"}
    answers = [name for name in ANSWERS if name in reference and arguments.get("predicted") != name]
    arguments["ignore"] = (*arguments.get("ignore", ()), *answers)
    if "timestamp" in reference:
        arguments["event_time"] = "timestamp"
        reference, later = (
            frame.assign(timestamp=pd.to_datetime(frame["timestamp"], utc=True)) for frame in (reference, later)
        )
    else:  # a second for each row: windows are cut by rows
        first = pd.Timestamp("2020-01-01", tz="UTC")
        seconds = [pd.to_timedelta(np.arange(len(frame)), unit="s") for frame in (reference, later)]
        reference = reference.assign(event_time=first + seconds[0])
        later = later.assign(event_time=first + pd.Timedelta(seconds=len(reference)) + seconds[1])
    times = later[arguments.get("event_time", "event_time")]
    monitor = Monitor.from_reference(as_whole_labels(reference, dataset), clock=lambda: LATER, **arguments)
    verdicts = monitor.run(as_whole_labels(later, dataset))
    opened = sorted((incident.window_end, incident.level) for incident in verdicts.incidents)
    rows = [(int((times < end).sum()), level) for end, level in opened]
    return {
        "this monitor, pages": [count for count, level in rows if level == "page"],
        "this monitor, pages and notices": [count for count, _ in rows],
    }


def as_whole_labels(rows: pd.DataFrame, dataset: Dataset) -> pd.DataFrame:
    """The rows with labels 0 and 1 as whole numbers; other labels as they are."""
    if dataset.name in ("car_loan", "census"):
        return rows.assign(**{dataset.label: rows[dataset.label].astype("Int64")})
    return rows


def as_texts(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows with every column that is no number as text."""
    others = [name for name in map(str, rows) if rows[name].dtype.kind not in "iuf"]
    return rows.assign(**{name: rows[name].astype(str).astype(object) for name in others})


def chunks(rows: pd.DataFrame) -> list[pd.DataFrame]:
    """The rows in chunks of `CHUNK`, in their order."""
    return [rows.iloc[first : first + CHUNK] for first in range(0, len(rows), CHUNK)]


def losses_by_chunk(rows: pd.DataFrame, label: str) -> list[float]:
    """The error rate of each chunk, or the mean absolute error of predicted numbers."""
    answer = next(name for name in ANSWERS if name in rows)
    if rows[answer].dtype.kind in "iuf" and rows[label].nunique() > 2:
        losses = (rows[answer] - rows[label]).abs()
    else:
        losses = (rows[answer].astype(str) != as_answer(rows[label], rows[answer])).astype(float)
    return [float(losses.iloc[first : first + CHUNK].mean()) for first in range(0, len(rows), CHUNK)]


def as_answer(labels: pd.Series[Any], answers: pd.Series[Any]) -> pd.Series[str]:
    """Labels as text in the way of the answers: 1.0 as 1."""
    return labels.astype(int).astype(str) if answers.dtype.kind in "iu" else labels.astype(str)


def rise_of_loss(before: Sequence[float], after: Sequence[float]) -> int | None:
    """How many rows come before the first of two chunks in a row with a larger loss than any chunk of the reference.

    >>> rise_of_loss([0.1, 0.2], [0.1, 0.3, 0.2, 0.3, 0.3])
    15000

    Returns:
        Rows; None where the loss does not rise.
    """
    above = np.array(after) > max(before)
    both = np.flatnonzero(above[:-1] & above[1:])
    return int(both[0]) * CHUNK if both.size else None
