"""Real tables whose models get worse: the first alarms of this monitor, and of charts tuned on the same reference."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from benchmarks.results import Cell, Result, Settings, Table
from benchmarks.truth.lender.rivals import CHARTS, alarms, own_thresholds
from benchmarks.truth.lender.streams import Losses
from monitoring import Monitor
from monitoring.errors import BadInput

#: Folder of the files, below that of results, and the collection that has them.
FOLDER, COLLECTION = (
    "drift-tables",
    "driftDatasets of V. Losing (GitHub), folders realWorld/Elec2 and realWorld/weather",
)

#: Mean losses are told over so many windows.
SPAN = 60

#: After the last row; the monitor's clock.
LATER = datetime(2100, 1, 1, tzinfo=UTC)
SEED = 7

Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True, kw_only=True)
class DriftTable:
    """A table in the order of its time, and the parts of it that the model and its monitor know.

    Attributes:
        title: What it is.
        files: Of the inputs, and of the labels.
        separator: Between the numbers of a row; None for spaces.
        left_out: Columns that are no inputs: the date, and prices that tell the label.
        row_days: Days between two rows.
        window_days: Days of a window.
        trained, reference: Windows of the training set, and of the reference after it.
    """

    title: str
    files: tuple[str, str]
    separator: str | None
    left_out: tuple[int, ...]
    row_days: float
    window_days: int
    trained: int
    reference: int

    @property
    def window_rows(self) -> int:
        """Rows of a window."""
        return round(self.window_days / self.row_days)


TABLES = (
    DriftTable(
        title="Elec2, days",
        files=("elec2_data.dat", "elec2_label.dat"),
        separator=None,
        left_out=(0, 3),
        row_days=1 / 48,
        window_days=1,
        trained=60,
        reference=90,
    ),
    DriftTable(
        title="weather, quarters",
        files=("NEweather_data.csv", "NEweather_class.csv"),
        separator=",",
        left_out=(),
        row_days=1.0,
        window_days=91,
        trained=32,
        reference=60,
    ),
)


def measure(settings: Settings) -> Result:
    """Measure the first alarm of each monitor on each table. Cost: two minutes of a core.

    Raises:
        BadInput: A file is not in its folder.
    """
    folder = settings.out / FOLDER
    missing = [name for table in TABLES for name in table.files if not (folder / name).is_file()]
    if missing:
        raise BadInput(
            "The tables are not here.",
            got=f"{folder} without {', '.join(missing)}",
            expected=f"files of the collection {COLLECTION}",
            fix="Copy them there.",
        )
    rows: list[tuple[Cell, ...]] = []
    for table in TABLES[: 1 if settings.quick else None]:
        inputs, labels = read(table, folder)
        scores = train(inputs, labels, table.trained * table.window_rows)
        rows += [(table.title, *row) for row in table_rows(table, inputs, labels, scores)]
        print(table.title, file=sys.stderr)
    note = (
        "Windows after the reference until the first alarm, and the mean error rate before it. A Keras model of two"
        " hidden layers is trained on the rows before the reference. Charts see each window's error rate and Brier"
        " score, and their thresholds are set by windows drawn from the reference, for one alarm in 365. Labels are"
        " there at once."
    )
    columns = ("table", "monitor", "first alarm, windows", "mean error rate")
    return Result(tables=(Table(title="Real tables that drift", columns=columns, rows=tuple(rows), note=note),))


def read(table: DriftTable, folder: Path) -> tuple[Floats, NDArray[np.int64]]:
    """The inputs [rows, columns] and labels [rows], 0 or 1, of a table."""
    values = np.loadtxt(folder / table.files[0], delimiter=table.separator)
    labels = np.loadtxt(folder / table.files[1]).astype(np.int64)
    return np.delete(values, table.left_out, axis=1), labels


def train(inputs: Floats, labels: NDArray[np.int64], rows: int) -> Floats:
    """Train on the first rows; the probability of label 1 for every row."""
    import keras  # noqa: PLC0415 - seconds, and few benchmarks need it

    keras.utils.set_random_seed(SEED)
    reference = inputs[:rows]
    values = ((inputs - reference.mean(axis=0)) / np.maximum(reference.std(axis=0), 1e-6)).clip(-8, 8)
    layers = keras.layers
    model = keras.Sequential(
        [
            keras.Input((inputs.shape[1],)),
            layers.Dense(32, activation="relu"),
            layers.Dense(16, activation="relu"),
            layers.Dense(1, activation="sigmoid"),
        ]
    )
    model.compile(optimizer=keras.optimizers.Adam(0.005), loss="binary_crossentropy")
    model.fit(values[:rows], labels[:rows], epochs=40, batch_size=128, verbose=0)
    return np.asarray(model.predict(values, batch_size=4096, verbose=0), dtype=np.float64)[:, 0]


def table_rows(table: DriftTable, inputs: Floats, labels: NDArray[np.int64], scores: Floats) -> list[tuple[Cell, ...]]:
    """A row for each monitor, after those of the reference and of the windows after it."""
    losses = by_window(table, labels, scores)
    reference, live = (
        Losses(errors=losses.errors[:, part], brier=losses.brier[:, part])
        for part in (slice(None, table.reference), slice(table.reference, None))
    )
    by_monitor: dict[str, Sequence[int]] = alarms_of_monitor(table, inputs, labels, scores)
    for name, chart in CHARTS.items():
        threshold = own_thresholds(chart, reference, 1.0, SEED)
        by_monitor[name] = [int(at) + 1 for at in np.flatnonzero(alarms(chart, reference, live, threshold)[0])]
    first = float(live.errors[0, :SPAN].mean())
    rows: list[tuple[Cell, ...]] = [
        ("(the reference)", None, float(reference.errors.mean())),
        ("(after it)", SPAN, first),
    ]
    for name, windows in by_monitor.items():
        rows.append((name, *((windows[0], float(live.errors[0, : windows[0]].mean())) if windows else (None, None))))
    return rows


def by_window(table: DriftTable, labels: NDArray[np.int64], scores: Floats) -> Losses:
    """The losses of each whole window after the training set, [1, windows]."""
    begin, size = table.trained * table.window_rows, table.window_rows
    end = begin + (len(labels) - begin) // size * size
    wrong = (scores[begin:end] > 0.5) != labels[begin:end]
    squared = (scores[begin:end] - labels[begin:end]) ** 2
    return Losses(errors=wrong.reshape(1, -1, size).mean(axis=2), brier=squared.reshape(1, -1, size).mean(axis=2))


def alarms_of_monitor(
    table: DriftTable, inputs: Floats, labels: NDArray[np.int64], scores: Floats
) -> dict[str, Sequence[int]]:
    """How many windows had come when this monitor, at its defaults, opened each page, and each page or notice."""
    frame = pd.DataFrame(inputs, columns=[f"input_{at}" for at in range(inputs.shape[1])])
    times = pd.Timestamp("2000-01-01", tz="UTC") + pd.to_timedelta(np.arange(len(labels)) * table.row_days, unit="D")
    frame = frame.assign(score=scores, label=pd.array(labels, dtype="Int64"), event_time=times)
    frame = frame.assign(prediction_id=np.arange(len(labels)).astype(str))
    begin, end = (windows * table.window_rows for windows in (table.trained, table.trained + table.reference))
    described: Callable[..., Any] = partial(Monitor.from_reference, every=f"{table.window_days}d", scores=("score",))
    monitor = described(frame[begin:end], label="label", clock=lambda: LATER)
    verdicts = monitor.run(frame[end:])
    origin = frame["event_time"].iloc[end]
    opened = sorted((incident.window_end - origin, incident.level) for incident in verdicts.incidents)
    windows = [(round(after / pd.Timedelta(days=table.window_days)), level) for after, level in opened]
    return {
        "this monitor, pages": [count for count, level in windows if level == "page"],
        "this monitor, pages and notices": [count for count, _ in windows],
    }
