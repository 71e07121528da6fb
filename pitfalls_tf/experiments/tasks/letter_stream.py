"""A stream of letters in which typeface families arrive over time, as from new printers.

Every day has as many letters, drawn from the families in use with replacement: a printed letter looks the same each
time. Until the first arrival these are monospaced families, as in training; then a family of another kind arrives
every other day, takes its share of the letters, and stays. Labels arrive two days later.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pitfalls_tf.experiments.tasks import letter_tasks
from pitfalls_tf.rows.examples import Examples
from pitfalls_tf.sources import letters

START: Final = np.datetime64("2025-03-01T00:00", "us")  # of the deployment; the baseline is the days before it
BASELINE_DAYS: Final = 30
QUIET_DAYS: Final = 31  # before the first arrival
DAYS: Final = 92  # March to May
LETTERS_A_DAY: Final = 200
EVERY: Final = 2  # days from one arrival to the next
SHARE: Final = 0.02  # of a day's letters that an arrived family takes
LABEL_DELAY: Final = np.timedelta64(2, "D")
QUICK_LETTERS_A_DAY: Final = 60
LARGEST_LEVEL: Final = 15
SEED: Final = 1455


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class LetterStream:
    """Rows of a baseline and of a deployment, in event-time order.

    Attributes:
        baseline_times: event times of the baseline, datetime64[us] [n].
    """

    baseline: Examples
    deployed: Examples
    baseline_times: NDArray[np.datetime64]
    deployed_times: NDArray[np.datetime64]
    arrivals: dict[str, int]


def stream(*, quick: bool) -> LetterStream:
    """Draw the stream; it is the same for every model."""
    rng = np.random.default_rng(SEED)
    count = QUICK_LETTERS_A_DAY if quick else LETTERS_A_DAY
    every, roles = letters.load().examples, letter_tasks.families()
    _, held = letter_tasks.trained_rows(every)
    # A pool of rows by family: those held out at random of the trained families, all rows of the others.
    domains = [held.domain(name) for name in held.names] + [every.domain(name) for name in roles.left_out]
    pools = {part.domains[0]: part for part in domains}
    first_days = arrivals()
    pools |= {name: every.domain(name) for name in first_days}
    usual = [str(part.domains[0]) for part in domains]
    weights = np.array([len(part) for part in domains], dtype=np.float64)
    baseline = [_drawn(pools, usual, weights, count, rng) for _ in range(BASELINE_DAYS)]
    deployed = []
    for day in range(DAYS):
        new = [name for name, first in first_days.items() if first <= day]
        mixed = np.concatenate([weights / weights.sum() * (1 - SHARE * len(new)), np.full(len(new), SHARE)])
        deployed.append(_drawn(pools, [*usual, *new], mixed, count, rng))
    return LetterStream(
        baseline=_joined(baseline),
        deployed=_joined(deployed),
        baseline_times=_times(START - np.timedelta64(BASELINE_DAYS, "D"), BASELINE_DAYS, count),
        deployed_times=_times(START, DAYS, count),
        arrivals=first_days,
    )


def arrivals() -> dict[str, int]:
    """The day of the deployment on which each family of another kind arrives; none was scored by a first run.

    >>> days = arrivals()
    >>> len(days), min(days.values()), max(days.values())
    (30, 31, 89)
    """
    names = letter_tasks.families().fresh[: (DAYS - QUIET_DAYS) // EVERY]
    return {name: QUIET_DAYS + EVERY * place for place, name in enumerate(names)}


def stream_table(examples: Examples, times: NDArray[np.datetime64]) -> pa.Table:
    """Rows as a team would have them: grey levels, family, label, and their times.

    Args:
        times: their event times, datetime64[us] [n].

    Returns:
        Columns `image` (grey levels 0 to 15, nested lists of the image's shape), `family`, `label`, `event_time`,
        `label_time` and `row_id`.
    """
    levels = np.rint(examples.inputs * LARGEST_LEVEL).astype(np.float32)
    stamp = pa.timestamp("us", tz="UTC")
    return pa.table(
        {
            "row_id": pa.array(np.arange(len(examples))),
            "image": pa.array(levels.tolist(), pa.list_(pa.list_(pa.list_(pa.float32())))),
            "family": pa.array(examples.domains.tolist(), pa.string()),
            "label": pa.array([examples.classes[target] for target in examples.targets.tolist()], pa.string()),
            "event_time": pa.array(times).cast(stamp),
            "label_time": pa.array(times + LABEL_DELAY).cast(stamp),
        }
    )


def _drawn(
    pools: dict[str, Examples], names: list[str], weights: NDArray[np.float64], count: int, rng: np.random.Generator
) -> Examples:
    """Letters of one day."""
    counts = rng.multinomial(count, weights / weights.sum())
    parts = [
        pools[name].take(rng.integers(0, len(pools[name]), size))
        for name, size in zip(names, counts, strict=True)
        if size
    ]
    day = _joined(parts)
    return day.take(rng.permutation(len(day)))


def _joined(parts: list[Examples]) -> Examples:
    return replace(
        parts[0],
        inputs=np.concatenate([part.inputs for part in parts]),
        targets=np.concatenate([part.targets for part in parts]),
        domains=np.concatenate([part.domains for part in parts]),
        times=np.concatenate([part.times for part in parts]),
    )


def _times(start: np.datetime64, days: int, count: int) -> NDArray[np.datetime64]:
    """Evenly spaced times from eight to eighteen o'clock of each day."""
    seconds = 8 * 3_600 + np.arange(count) * 10 * 3_600 // count
    times: NDArray[np.datetime64] = (
        start + np.arange(days)[:, None] * np.timedelta64(1, "D") + seconds.astype("timedelta64[s]")
    ).reshape(-1)
    return times
