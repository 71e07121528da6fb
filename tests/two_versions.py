"""Tables of what two versions of a model answered, in every task, one better than the other by as much as one likes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

FIRST = datetime(2026, 3, 1, tzinfo=UTC)

#: On so many rows exactly one of two versions may be right.
DISAGREEMENT = 0.12

Columns = dict[str, Any]


def write_two_versions(
    path: Path,
    task: str = "two classes",
    *,
    gain: float = 0.0,
    days: int = 20,
    rows: int = 300,
    seed: int = 0,
    more: Callable[[np.random.Generator, int], Columns] | None = None,
) -> tuple[str, ...]:
    """Write a table whose candidate answers right on a share `gain` of rows more than the champion.

    Args:
        path: The Parquet file.
        task: One of `TASKS`.
        gain: How much more often the candidate is right.
        days: Days of rows.
        rows: Rows of a day.
        seed: What draws begin from.
        more: Makes further columns of so many rows.

    Returns:
        The flags of `pitfalls rollout replay` that describe it.
    """
    rng = np.random.default_rng(seed)
    count = days * rows
    seconds = np.sort(rng.integers(0, 86_400, (days, rows)), axis=1) + 86_400 * np.arange(days)[:, None]
    times = [FIRST + timedelta(seconds=int(second)) for second in seconds.ravel()]
    champion = rng.random(count) < 0.8
    differ = rng.random(count) < DISAGREEMENT
    candidate_right = rng.random(count) < 0.5 + gain / DISAGREEMENT / 2
    right = np.stack([np.where(differ, ~candidate_right, champion), np.where(differ, candidate_right, champion)])
    columns, flags = TASKS[task](rng, right)
    columns |= {} if more is None else more(rng, count)
    pq.write_table(pa.table({"ts": pa.array(times, pa.timestamp("us", "UTC")), **columns}), path)
    return ("--table", str(path), "--event-time", "ts", *flags)


def _two_classes(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    y = rng.integers(0, 2, right.shape[1])
    sure = rng.uniform(0.5, 1.0, y.size)
    a, b = (np.where((y == 1) == each, sure, 1.0 - sure) for each in right)
    return {"y": y, "a": a, "b": b}, ("--label", "y", "--champion-score", "a", "--candidate-score", "b")


def _three_classes(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    names = np.array(["cat", "dog", "owl"])
    y = rng.integers(0, 3, right.shape[1])
    columns: Columns = {"y": names[y]}
    flags = ["--label", "y"]
    for version, each in zip(("champion", "candidate"), right, strict=True):
        chosen = np.where(each, y, (y + 1) % 3)
        columns |= {f"{version}_{n}": np.where(chosen == k, 0.7, 0.15) for k, n in enumerate(names)}
        flags += [f"--{version}-score", ",".join(f"{version}_{n}" for n in names)]
    return columns, (*flags, "--classes", ",".join(names))


def _predicted_classes(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    names = np.array(["cat", "dog", "owl"])
    y = rng.integers(0, 3, right.shape[1])
    a, b = (names[np.where(each, y, (y + 1) % 3)] for each in right)
    return {"y": names[y], "a": a, "b": b}, ("--label", "y", "--champion-predicted", "a", "--candidate-predicted", "b")


def _any_of_three(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    truth = rng.integers(0, 2, (right.shape[1], 3))
    columns: Columns = {f"is_{k}": truth[:, k] for k in range(3)}
    flags = ["--label", "is_0,is_1,is_2", "--task", "multilabel"]
    for version, each in zip(("champion", "candidate"), right, strict=True):
        answers = np.where(truth == 1, 0.8, 0.2)
        answers = np.where(each[:, None], answers, 1.0 - answers)
        columns |= {f"{version}_{k}": answers[:, k] for k in range(3)}
        flags += [f"--{version}-score", ",".join(f"{version}_{k}" for k in range(3))]
    return columns, tuple(flags)


def _a_number(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    y = rng.gamma(4.0, 10.0, (right.shape[1],))
    a, b = (y + np.where(each, 1.0, 20.0) * rng.choice([-1.0, 1.0], y.size) for each in right)
    return {"y": y, "a": a, "b": b}, ("--label", "y", "--champion-predicted", "a", "--candidate-predicted", "b")


def _three_numbers(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    y = rng.gamma(4.0, 10.0, (right.shape[1], 3))
    columns: Columns = {f"y_{k}": y[:, k] for k in range(3)}
    flags = ["--label", "y_0,y_1,y_2"]
    for version, each in zip(("champion", "candidate"), right, strict=True):
        answers = y + np.where(each, 1.0, 20.0)[:, None]
        columns |= {f"{version}_{k}": answers[:, k] for k in range(3)}
        flags += [f"--{version}-predicted", ",".join(f"{version}_{k}" for k in range(3))]
    return columns, tuple(flags)


def _a_ranking(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    y = rng.integers(0, 50, (right.shape[1],))
    columns: Columns = {"clicked": [f"item {k}" for k in y]}
    for version, each in zip(("champion", "candidate"), right, strict=True):
        first = np.where(each, y, (y + 7) % 50)
        columns[version] = [[f"item {k}", f"item {(k + 3) % 50}", f"item {(k + 11) % 50}"] for k in first]
    flags = ("--champion-predicted", "champion", "--candidate-predicted", "candidate")
    return columns, ("--task", "ranking", "--label", "clicked", *flags)


def _two_outputs(rng: np.random.Generator, right: np.ndarray) -> tuple[Columns, tuple[str, ...]]:
    kind, _ = _predicted_classes(rng, right)
    price, _ = _a_number(rng, right)
    columns = {f"kind_{name}": column for name, column in kind.items()}
    columns |= {f"price_{name}": column for name, column in price.items()}
    return columns, (
        *("--label", "kind=kind_y,price=price_y"),
        *("--champion-predicted", "kind=kind_a,price=price_a"),
        *("--candidate-predicted", "kind=kind_b,price=price_b"),
    )


#: What makes the columns of each task.
TASKS: dict[str, Callable[[np.random.Generator, np.ndarray], tuple[Columns, tuple[str, ...]]]] = {
    "two classes": _two_classes,
    "three classes": _three_classes,
    "predicted classes": _predicted_classes,
    "any of three classes": _any_of_three,
    "a number": _a_number,
    "three numbers": _three_numbers,
    "a ranking": _a_ranking,
    "two outputs": _two_outputs,
}
