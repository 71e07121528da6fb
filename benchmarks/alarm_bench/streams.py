"""Streams of rows in windows: the years of real deployments as plain arrays, and what an adapter is given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields, replace
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Integers = NDArray[np.int64]

DATA = Path(__file__).parent / "data"

#: Answers are kept with four digits.
DIGITS = 10_000

DAY, WEEK = 1440, 10_080
YEAR = 365.25 * DAY

#: Charts see a window's losses once it has so many labels; fewer wait for the next window's.
LEAST_LABELS = 10

#: Minute 0 as a time: a Monday.
ORIGIN = np.datetime64("2001-01-01", "us")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rows:
    """Predictions, in order of time.

    Attributes:
        id: Number of the row, int64 [n].
        minute: When it was predicted; the first live window begins at minute 0, int64 [n].
        label_minute: When its label came, int64 [n].
        label: Place of the true class, int64 [n]; -1 where the label has not come yet.
        scores: Probabilities of the classes that the model knows, the first ones, float64 [n, k].
        inputs: Numbers, and places of categories; NaN where missing, float64 [n, d].
    """

    id: Integers
    minute: Integers
    label_minute: Integers
    label: Integers
    scores: Floats
    inputs: Floats

    def part(self, which: NDArray[np.bool_] | Integers) -> Rows:
        """Some of the rows."""
        return Rows(**{field.name: getattr(self, field.name)[which] for field in fields(self)})

    @classmethod
    def joined(cls, parts: Sequence[Rows]) -> Rows:
        """The rows of several parts, one after the other."""
        return cls(
            **{field.name: np.concatenate([getattr(part, field.name) for part in parts]) for field in fields(cls)}
        )

    @property
    def errors(self) -> Floats:
        """Whether the most probable class is not the label, 0 or 1, [n]."""
        return np.asarray(self.scores.argmax(axis=1) != self.label, dtype=np.float64)

    @property
    def brier(self) -> Floats:
        """Half of the squared distance of the probabilities from the truth, [n]."""
        truth = self.label[:, None] == np.arange(self.scores.shape[1])
        return np.asarray(((self.scores - truth) ** 2).sum(axis=1) / 2.0, dtype=np.float64)


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Window:
    """What a monitor knows of one window: the rows that arrived in it, and those whose labels came in it."""

    arrived: Rows
    labelled: Rows


@dataclass(frozen=True, slots=True, kw_only=True, eq=False)
class Reference:
    """What a monitor knows before the first live window.

    Attributes:
        minutes: Length of a window.
        classes: Names of all classes; the model may not know the last ones.
        names, is_category: Of the inputs.
    """

    windows: tuple[Window, ...]
    minutes: int
    classes: tuple[str, ...]
    names: tuple[str, ...]
    is_category: tuple[bool, ...]

    @property
    def windows_a_year(self) -> float:
        """Windows of a deployment-year."""
        return YEAR / self.minutes


@dataclass(frozen=True, slots=True, kw_only=True)
class Stream:
    """A deployment: its reference, its live windows, and when the model was really worse.

    Attributes:
        is_real: Whether it happened.
        harms: First window and the one after the last of each harm; live windows count from 1.
        early: So many windows before a harm are neither calm nor harmed, for its onset is itself an estimate.
    """

    name: str
    is_real: bool
    reference: Reference
    windows: tuple[Window, ...]
    harms: tuple[tuple[int, int], ...]
    early: int = 0


def real_streams() -> Iterator[Stream]:
    """The years of real deployments, in weekly windows."""
    for path in sorted(DATA.glob("*.npz")):
        with np.load(path) as kept:
            rows = Rows(
                id=np.arange(len(kept["minute"])),
                minute=kept["minute"],
                label_minute=kept["label_minute"],
                label=kept["label"].astype(np.int64),
                scores=kept["scores"] / DIGITS,
                inputs=kept["inputs"].astype(np.float64),
            )
            reference = Reference(
                windows=(),
                minutes=WEEK,
                classes=tuple(kept["classes"].tolist()),
                names=tuple(kept["names"].tolist()),
                is_category=tuple(kept["is_category"].tolist()),
            )
            harms = tuple((int(first), int(end)) for first, end in kept["harms"])
            yield stream_of(str(kept["title"]), rows, reference, harms=harms, is_real=True, early=8)


def stream_of(
    name: str, rows: Rows, empty: Reference, *, harms: tuple[tuple[int, int], ...], is_real: bool, early: int = 0
) -> Stream:
    """Rows cut into windows; those before minute 0 are the reference's, with the labels that came before it."""
    before, live = rows.part(rows.minute < 0), rows.part(rows.minute >= 0)
    last = int(rows.minute.max()) // empty.minutes
    return Stream(
        name=name,
        is_real=is_real,
        reference=replace(empty, windows=_cut(before, int(before.minute.min()) // empty.minutes, -1, empty.minutes)),
        windows=_cut(live, 0, last, empty.minutes),
        harms=harms,
        early=early,
    )


def _cut(rows: Rows, first: int, last: int, minutes: int) -> tuple[Window, ...]:
    unlabelled = replace(rows, label=np.full(len(rows.label), -1))
    arrived, labelled = rows.minute // minutes, rows.label_minute // minutes
    return tuple(
        Window(arrived=unlabelled.part(arrived == at), labelled=rows.part(labelled == at))
        for at in range(first, last + 1)
    )


def losses(windows: Sequence[Window]) -> Floats:
    """Mean error and Brier score of the labels of each window, [windows, 2]; NaN where too few have come to judge."""
    found, labels, sums = [], 0, np.zeros(2)
    for window in windows:
        rows = window.labelled
        labels, sums = labels + len(rows.label), sums + np.array([rows.errors.sum(), rows.brier.sum()])
        is_enough = labels >= LEAST_LABELS
        found.append(sums / labels if is_enough else np.full(2, np.nan))
        if is_enough:
            labels, sums = 0, np.zeros(2)
    return np.array(found)


@lru_cache(maxsize=4)
def standardised(reference: Reference, windows: tuple[Window, ...]) -> Floats:
    """`losses` in standard deviations of the reference's windows above their mean, [windows, 2]."""
    known = losses(reference.windows)
    spread = np.maximum(np.nanstd(known, axis=0, ddof=1), 1e-9)
    return np.asarray((losses(windows) - np.nanmean(known, axis=0)) / spread, dtype=np.float64)


def columns(rows: Rows) -> Floats:
    """What a detector of drift may look at: inputs, probabilities and error of labelled rows, [n, d + k + 1]."""
    return np.concatenate([rows.inputs, rows.scores, rows.errors[:, None]], axis=1)


def named_columns(reference: Reference, windows: Sequence[Window]) -> dict[str, Sequence[str | None] | NDArray[Any]]:
    """The rows that arrived in some windows as columns, for monitors that read tables.

    Returns:
        `row` (id as text), `time` and `label time` (UTC, without a zone), `label` (text; None where it has not come),
        `score CLASS` for each class that the model knows, and the inputs by name: numbers, or texts of categories.
    """
    rows, known = (Rows.joined([getattr(each, name) for each in windows]) for name in ("arrived", "labelled"))
    place = {int(row): at for at, row in enumerate(known.id)}
    found = [place.get(int(row)) for row in rows.id]
    label = [None if at is None else reference.classes[known.label[at]] for at in found]
    came = [np.datetime64("NaT") if at is None else _time(known.label_minute[at]) for at in found]
    columns: dict[str, Sequence[str | None] | NDArray[Any]] = {
        "row": rows.id.astype(str),
        "time": _time(rows.minute),
        "label": label,
        "label time": np.array(came, dtype="datetime64[us]"),
    }
    columns |= {f"score {reference.classes[at]}": rows.scores[:, at] for at in range(rows.scores.shape[1])}
    for name, is_category, values in zip(reference.names, reference.is_category, rows.inputs.T, strict=True):
        columns[name] = [None if np.isnan(value) else f"c{value:.0f}" for value in values] if is_category else values
    return columns


def _time(minute: Any) -> Any:
    return ORIGIN + np.asarray(minute) * np.timedelta64(1, "m")
