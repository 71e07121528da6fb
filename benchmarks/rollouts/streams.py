"""Tables of rows that two versions have answered, with labels that come late by outcome."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from numpy.typing import NDArray

from monitoring.rollout.replay.paired_table import PairedTable, read_pairs
from pitfalls_tf.cli.column_roles import COLUMNS
from pitfalls_tf.cli.rollout.replay import described_versions

START = datetime(2026, 1, 5, tzinfo=UTC)
DAY_US = 86_400_000_000

#: The label horizon, and how long labels take on average, in days: those of rows that the candidate gets wrong are
#: slower, and one in ten of them does not come in time.
HORIZON = timedelta(days=7)
QUICK, SLOW = 1.0, 3.0

Bools = NDArray[np.bool_]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pair:
    """Two versions of a model, as a stream of paired rows.

    Attributes:
        days: How long the stream is.
        rows: Rows a day.
        error: The champion's error rate.
        disagreement: The share of rows on which exactly one version is right.
        effect: The candidate's error rate less the champion's; negative is better.
    """

    days: int
    rows: int
    error: float = 0.15
    disagreement: float = 0.08
    effect: float = 0.0

    def right(self, rng: np.random.Generator) -> tuple[Bools, Bools]:
        """Which rows the champion and the candidate get right, [n] each."""
        place = rng.random(self.days * self.rows)
        candidate_only = (self.disagreement - self.effect) / 2.0
        champion_only = (self.disagreement + self.effect) / 2.0
        both_wrong = self.error - candidate_only
        edges = np.cumsum([candidate_only, champion_only, both_wrong])
        kind = np.searchsorted(edges, place, side="right")
        return (kind == 1) | (kind == 3), (kind == 0) | (kind == 3)


#: Makes the columns of labels and answers from which version is right in which row, [n] each.
WriteColumns = Callable[[np.random.Generator, Bools, Bools], Mapping[str, Any]]


@dataclass(frozen=True, slots=True, kw_only=True)
class TaskTable:
    """How a task's rows are written to a table, and read.

    Attributes:
        write: Makes the columns.
        flags: What `pitfalls rollout replay --table` is told of them.
    """

    write: WriteColumns
    flags: Mapping[str, Any]


def table_of(task: TaskTable, pair: Pair, rng: np.random.Generator, folder: Path) -> PairedTable:
    """Write a stream as a Parquet file, and read it as `pitfalls rollout replay --table` does."""
    first, second = pair.right(rng)
    n = first.size
    times = np.sort(rng.integers(0, pair.days * DAY_US, n)) + int(START.timestamp() * 1e6)
    delays = rng.exponential(np.where(second, QUICK, SLOW)) * DAY_US
    stamp = pa.timestamp("us", tz="UTC")
    columns = {
        "prediction_id": pa.array([str(number) for number in range(n)]),
        "event_time": pa.array(times, stamp),
        "label_time": pa.array(times + delays.astype(np.int64), stamp),
        **task.write(rng, first, second),
    }
    path = folder / "rows.parquet"
    pq.write_table(pa.table(columns), path)
    end = START + timedelta(days=pair.days + 60)
    columns = {name: COLUMNS.convert(value, None, None) for name, value in task.flags.items() if name != "task"}
    champion, candidate = described_versions({**NO_FLAGS, **task.flags, **columns})
    return read_pairs(path, champion, candidate, clock=lambda: end)


def _classes(rng: np.random.Generator, first: Bools, second: Bools) -> dict[str, Any]:
    label = rng.integers(0, 2, first.size)
    sure = rng.uniform(0.5, 1.0, first.size)

    def score(right: Bools) -> NDArray[np.float64]:
        return np.where(right == (label == 1), sure, 1.0 - sure)

    return {"label": label, "a": score(first), "b": score(second)}


def _class_sets(rng: np.random.Generator, first: Bools, second: Bools) -> dict[str, Any]:
    columns: dict[str, Any] = {}
    for name in "xyz":
        part = _classes(rng, first, second)
        columns |= {f"label_{name}": part["label"], f"a_{name}": part["a"], f"b_{name}": part["b"]}
        first, second = rng.permutation(first), rng.permutation(second)  # the classes are wrong in other rows
    return columns


def _numbers(rng: np.random.Generator, first: Bools, second: Bools, suffix: str = "") -> dict[str, Any]:
    label = rng.normal(size=first.size)
    shared = rng.laplace(scale=0.2, size=first.size)

    def answer(right: Bools) -> NDArray[np.float64]:
        return np.asarray(label + shared + np.where(right, 0.0, 1.0) * np.sign(shared), dtype=np.float64)

    return {f"label{suffix}": label, f"a{suffix}": answer(first), f"b{suffix}": answer(second)}


def _vectors(rng: np.random.Generator, first: Bools, second: Bools) -> dict[str, Any]:
    return {
        **_numbers(rng, first, second, "_x"),
        **_numbers(rng, rng.permutation(first), rng.permutation(second), "_y"),
    }


def _rankings(rng: np.random.Generator, first: Bools, second: Bools) -> dict[str, Any]:
    label = rng.integers(0, 50, first.size)

    def listed(right: Bools) -> pa.Array:
        places = np.stack([label + 1, label + 2, np.where(right, label, label + 3)], axis=1)
        return pa.array([[f"item {item}" for item in row] for row in places.tolist()])

    return {"label": pa.array([f"item {item}" for item in label]), "a": listed(first), "b": listed(second)}


def _outputs(rng: np.random.Generator, first: Bools, second: Bools) -> dict[str, Any]:
    classes = _classes(rng, first, second)
    number = _numbers(rng, rng.permutation(first), rng.permutation(second), "_minutes")
    return {"label_late": classes["label"], "a_late": classes["a"], "b_late": classes["b"], **number}


#: The flags that say what a table's columns are, none of them given.
NO_FLAGS: Mapping[str, Any] = {
    **dict.fromkeys(("event_time", "label_time", "prediction_id", "naive_timezone", "task", "label")),
    **dict.fromkeys(("champion_predicted", "candidate_predicted")),
    **dict.fromkeys(("champion_score", "candidate_score", "slices", "classes")),
}

#: Each task of the monitor.
TASKS: Mapping[str, TaskTable] = {
    "classification": TaskTable(write=_classes, flags={"champion_score": "a", "candidate_score": "b"}),
    "several classes": TaskTable(
        write=_class_sets,
        flags={
            "label": "label_x,label_y,label_z",
            "classes": "x,y,z",
            "task": "multilabel",
            "champion_score": "a_x,a_y,a_z",
            "candidate_score": "b_x,b_y,b_z",
        },
    ),
    "regression": TaskTable(
        write=_numbers, flags={"task": "regression", "champion_predicted": "a", "candidate_predicted": "b"}
    ),
    "several numbers": TaskTable(
        write=_vectors,
        flags={"label": "label_x,label_y", "champion_predicted": "a_x,a_y", "candidate_predicted": "b_x,b_y"},
    ),
    "ranking": TaskTable(
        write=_rankings, flags={"task": "ranking", "champion_predicted": "a", "candidate_predicted": "b"}
    ),
    "several outputs": TaskTable(
        write=_outputs,
        flags={
            "label": "late=label_late,minutes=label_minutes",
            "champion_score": "late=a_late",
            "candidate_score": "late=b_late",
            "champion_predicted": "minutes=a_minutes",
            "candidate_predicted": "minutes=b_minutes",
        },
    ),
}
