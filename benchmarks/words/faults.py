"""One light table of daily predictions, and the faults that are planted in its last days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
from numpy.typing import NDArray

#: The reference's days, those of live traffic before a fault, those with it, and rows a day.
REFERENCE, BEFORE, LASTING, ROWS = 60, 8, 12, 300
FIRST = datetime(2026, 3, 1, tzinfo=UTC)
SEED = 20_261_202

Plant = Callable[[pd.DataFrame, np.random.Generator], pd.DataFrame]


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """A fault: what is done to its days' rows, and what a sentence that names its cause has.

    Attributes:
        names: Words, all of which it has; alternatives are separated by a bar, and case does not count.
    """

    title: str
    plant: Plant
    names: tuple[str, ...]


def made_rows(first: datetime, days: int, seed: int, rows: int = ROWS) -> pd.DataFrame:
    """Rows of some days: five inputs, the probability that a calibrated model states, and the label two hours later."""
    rng = np.random.default_rng(seed)
    count = days * rows
    at = np.repeat(np.arange(days) * 86_400.0, rows) + rng.uniform(0.0, 86_000.0, count)
    frame = pd.DataFrame({"id": [f"{first:%y%m%d}-{number}" for number in range(count)]})
    frame["at"] = pd.Timestamp(first) + pd.to_timedelta(np.round(at), unit="s")
    frame["age"] = rng.integers(18, 81, count)
    frame["income"] = np.round(rng.lognormal(8.0, 0.5, count), 2)
    frame["visits"] = rng.poisson(3.0, count)
    frame["branch"] = rng.choice(["web", "shop", "phone", "agent"], count, p=[0.45, 0.3, 0.18, 0.07])
    frame["region"] = rng.choice(["north", "south", "west"], count, p=[0.5, 0.3, 0.2])
    effect = frame["branch"].map({"web": 0.8, "shop": 0.0, "phone": -0.8, "agent": 0.3})
    odds = 0.06 * (frame["age"] - 49) - 1.2 * (np.log(frame["income"]) - 8.0) + 0.25 * (frame["visits"] - 3) + effect
    frame["score"] = 1.0 / (1.0 + np.exp(-odds))
    frame["label"] = (rng.random(count) < frame["score"]).astype(int)
    frame["known_at"] = frame["at"] + timedelta(hours=2)
    return frame.sort_values("at", ignore_index=True)


def _where(rows: pd.DataFrame, query: str) -> NDArray[np.bool_]:
    """Which rows a query chooses; an empty one all. Shape [n]."""
    return np.isin(rows["id"], rows.query(query)["id"]) if query else np.ones(len(rows), dtype=np.bool_)


def _set(column: str, change: Callable[[pd.Series, np.random.Generator], object], where: str = "") -> Plant:
    """A column's values are replaced, in the rows of a query or in all."""

    def plant(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        chosen = _where(rows, where)
        values = np.asarray(rows[column], dtype=object)
        values[chosen] = np.asarray(change(rows[column][chosen], rng), dtype=object)
        return rows.assign(**{column: pd.Series(values, index=rows.index).infer_objects()})

    return plant


def _some(share: float, value: object) -> Callable[[pd.Series, np.random.Generator], object]:
    return lambda old, rng: [
        value if drawn < share else kept for kept, drawn in zip(old, rng.random(len(old)), strict=True)
    ]


def _swapped(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(branch=rows["region"], region=rows["branch"])


def _swapped_numbers(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(age=rows["visits"], visits=rows["age"])


def _doubled(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return pd.concat([rows, rows.assign(id=rows["id"] + "-b")], ignore_index=True).sort_values("at", ignore_index=True)


def _flipped(rows: pd.DataFrame, rng: np.random.Generator, share: float, where: str = "") -> pd.DataFrame:
    hit = (rng.random(len(rows)) < share) & _where(rows, where)
    return rows.assign(label=np.where(hit, 1 - rows["label"], rows["label"]))


def _lost(rows: pd.DataFrame, where: str) -> pd.DataFrame:
    return rows.assign(label=rows["label"].astype("Int64").mask(_where(rows, where)))


def _shuffled(column: str) -> Plant:
    return lambda rows, rng: rows.assign(**{column: rng.permutation(rows[column].to_numpy())})


FAULTS = (
    Fault(title="age is 58 in all rows", plant=_set("age", lambda old, _: [58] * len(old)), names=("age", "58", "all")),
    Fault(
        title="income is 2,500 in all rows",
        plant=_set("income", lambda old, _: [2500.0] * len(old)),
        names=("income", "2,500", "all"),
    ),
    Fault(
        title="region is north in all rows",
        plant=_set("region", lambda old, _: ["north"] * len(old)),
        names=("region", "north", "all"),
    ),
    Fault(title="income times 100", plant=_set("income", lambda old, _: old * 100), names=("income",)),
    Fault(
        title="income times 12 where branch = shop",
        plant=_set("income", lambda old, _: old * 12, "branch == 'shop'"),
        names=("income", "shop"),
    ),
    Fault(title="age in months", plant=_set("age", lambda old, _: old * 12), names=("age",)),
    Fault(
        title="age times 12 where region = west",
        plant=_set("age", lambda old, _: old * 12, "region == 'west'"),
        names=("age", "west"),
    ),
    Fault(title="30 % of income missing", plant=_set("income", _some(0.3, None)), names=("missing", "income")),
    Fault(title="19 % of income missing", plant=_set("income", _some(0.19, None)), names=("missing", "income")),
    Fault(title="5 % of income missing", plant=_set("income", _some(0.05, None)), names=("missing", "income")),
    Fault(
        title="column income gone",
        plant=lambda rows, _: rows.drop(columns="income"),
        names=("income", "absent|gone|missing"),
    ),
    Fault(
        title="phone became Telefon (18 %)",
        plant=_set("branch", lambda old, _: old.replace("phone", "Telefon")),
        names=("phone", "telefon"),
    ),
    Fault(
        title="shop became store (30 %)",
        plant=_set("branch", lambda old, _: old.replace("shop", "store")),
        names=("shop", "store"),
    ),
    Fault(title="25 % of branch UNKNOWN", plant=_set("branch", _some(0.25, "UNKNOWN")), names=("branch", "unknown")),
    Fault(title="branch and region swapped", plant=_swapped, names=("branch", "region", "swap")),
    Fault(title="age and visits swapped", plant=_swapped_numbers, names=("age", "visits", "swap")),
    Fault(title="rows twice under new ids", plant=_doubled, names=("twice|duplicate|repeated|equal",)),
    Fault(title="age of another row", plant=_shuffled("age"), names=("age",)),
    Fault(
        title="score 0.3 in all rows",
        plant=_set("score", lambda old, _: [0.3] * len(old)),
        names=("answers", "constant|the same", "0.3"),
    ),
    Fault(
        title="score inverted",
        plant=_set("score", lambda old, _: 1.0 - old),
        names=("labels contradict|error rate|wrong|inverted",),
    ),
    Fault(
        title="score times 0.7",
        plant=_set("score", lambda old, _: 0.7 * old),
        names=("more frequent|overconfident|too low",),
    ),
    Fault(
        title="score in percent",
        plant=_set("score", lambda old, _: 100.0 * old),
        names=("score|answers", "unusable|range|percent"),
    ),
    Fault(
        title="15 % of labels flipped", plant=lambda rows, rng: _flipped(rows, rng, 0.15), names=("error rate|brier",)
    ),
    Fault(
        title="labels flipped where branch = shop",
        plant=lambda rows, rng: _flipped(rows, rng, 0.5, "branch == 'shop'"),
        names=("error rate|brier", "shop"),
    ),
    Fault(title="no labels", plant=lambda rows, _: _lost(rows, "label >= 0"), names=("label", "no|stopped")),
    Fault(title="labels of class 1 lost", plant=lambda rows, _: _lost(rows, "label == 1"), names=("label", "class")),
    Fault(
        title="a fifth of the rows",
        plant=lambda rows, _: rows.iloc[::5].reset_index(drop=True),
        names=("traffic|rows",),
    ),
    Fault(title="nothing", plant=lambda rows, _: rows, names=()),
)
