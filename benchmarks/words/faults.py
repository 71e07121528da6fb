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


def changed(column: str, change: Callable[[pd.Series, np.random.Generator], object], where: str = "") -> Plant:
    """A column's values are replaced, in the rows of a query or in all."""

    def plant(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        chosen = _where(rows, where)
        values = np.asarray(rows[column], dtype=object)
        values[chosen] = np.asarray(change(rows[column][chosen], rng), dtype=object)
        return rows.assign(**{column: pd.Series(values, index=rows.index).infer_objects()})

    return plant


def some(share: float, value: object) -> Callable[[pd.Series, np.random.Generator], object]:
    """One value in place of a share of the others."""
    return lambda old, rng: [
        value if drawn < share else kept for kept, drawn in zip(old, rng.random(len(old)), strict=True)
    ]


def _swapped(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(branch=rows["region"], region=rows["branch"])


def _swapped_numbers(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(age=rows["visits"], visits=rows["age"])


def _doubled(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return pd.concat([rows, rows.assign(id=rows["id"] + "-b")], ignore_index=True).sort_values("at", ignore_index=True)


def flipped(rows: pd.DataFrame, rng: np.random.Generator, share: float, where: str = "") -> pd.DataFrame:
    """A share of the labels are the other class, in the rows of a query or in all."""
    hit = (rng.random(len(rows)) < share) & _where(rows, where)
    return rows.assign(label=np.where(hit, 1 - rows["label"], rows["label"]))


def lost(rows: pd.DataFrame, where: str) -> pd.DataFrame:
    """The rows of a query have no label."""
    return rows.assign(label=rows["label"].astype("Int64").mask(_where(rows, where)))


def shuffled(column: str) -> Plant:
    """Each row has the column's value of another."""
    return lambda rows, rng: rows.assign(**{column: rng.permutation(rows[column].to_numpy())})


def each(step: int, plant: Plant) -> Plant:
    """A fault on each day of so many, from the first on."""

    def planted(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        days = (rows["at"].dt.floor("D") - rows["at"].min().floor("D")).dt.days
        hit = days % step == 0
        broken = plant(rows[hit], rng)
        every: pd.DataFrame = pd.concat([broken, rows[~hit]], ignore_index=True)
        return every.sort_values("at", ignore_index=True)

    return planted


def _both(*plants: Plant) -> Plant:
    def planted(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        for plant in plants:
            rows = plant(rows, rng)
        return rows

    return planted


def _first_day_again(columns: tuple[str, ...]) -> Plant:
    """Each day has the values of the first one, in another order, in some columns."""

    def planted(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        day = rows["at"].dt.floor("D")
        first, parts = rows[day == day.min()], []
        for _, part in rows.groupby(day):
            again = first.sample(len(part), replace=len(part) > len(first), random_state=rng)
            parts.append(part.assign(**{name: again[name].to_numpy() for name in columns}))
        again_rows: pd.DataFrame = pd.concat(parts, ignore_index=True)
        return again_rows

    return planted


def _copied(times: int) -> Plant:
    def planted(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
        copies = [rows.assign(id=rows["id"] + f"-{number}") for number in range(times)]
        return pd.concat(copies, ignore_index=True).sort_values("at", ignore_index=True)

    return planted


def without(where: str) -> Plant:
    """The rows of a query do not come."""

    def planted(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
        kept: pd.DataFrame = rows[~_where(rows, where)].reset_index(drop=True)
        return kept

    return planted


def _late(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    return rows.assign(known_at=rows["known_at"] + timedelta(days=5))


def _more_wrong(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
    """Each day five points more of the labels are flipped."""
    days = (rows["at"].dt.floor("D") - rows["at"].min().floor("D")).dt.days
    hit = rng.random(len(rows)) < 0.05 * (days.to_numpy() + 1)
    return rows.assign(label=np.where(hit, 1 - rows["label"], rows["label"]))


FAULTS = (
    Fault(
        title="age is 58 in all rows", plant=changed("age", lambda old, _: [58] * len(old)), names=("age", "58", "all")
    ),
    Fault(
        title="income is 2,500 in all rows",
        plant=changed("income", lambda old, _: [2500.0] * len(old)),
        names=("income", "2,500", "all"),
    ),
    Fault(
        title="region is north in all rows",
        plant=changed("region", lambda old, _: ["north"] * len(old)),
        names=("region", "north", "all"),
    ),
    Fault(title="income times 100", plant=changed("income", lambda old, _: old * 100), names=("income",)),
    Fault(
        title="income times 12 where branch = shop",
        plant=changed("income", lambda old, _: old * 12, "branch == 'shop'"),
        names=("income", "shop"),
    ),
    Fault(title="age in months", plant=changed("age", lambda old, _: old * 12), names=("age",)),
    Fault(
        title="age times 12 where region = west",
        plant=changed("age", lambda old, _: old * 12, "region == 'west'"),
        names=("age", "west"),
    ),
    Fault(title="30 % of income missing", plant=changed("income", some(0.3, None)), names=("missing", "income")),
    Fault(title="19 % of income missing", plant=changed("income", some(0.19, None)), names=("missing", "income")),
    Fault(title="5 % of income missing", plant=changed("income", some(0.05, None)), names=("missing", "income")),
    Fault(
        title="column income gone",
        plant=lambda rows, _: rows.drop(columns="income"),
        names=("income", "absent|gone|missing"),
    ),
    Fault(
        title="phone became Telefon (18 %)",
        plant=changed("branch", lambda old, _: old.replace("phone", "Telefon")),
        names=("phone", "telefon"),
    ),
    Fault(
        title="shop became store (30 %)",
        plant=changed("branch", lambda old, _: old.replace("shop", "store")),
        names=("shop", "store"),
    ),
    Fault(title="25 % of branch UNKNOWN", plant=changed("branch", some(0.25, "UNKNOWN")), names=("branch", "unknown")),
    Fault(title="branch and region swapped", plant=_swapped, names=("branch", "region", "swap")),
    Fault(title="age and visits swapped", plant=_swapped_numbers, names=("age", "visits", "swap")),
    Fault(title="rows twice under new ids", plant=_doubled, names=("twice|duplicate|repeated|equal",)),
    Fault(title="age of another row", plant=shuffled("age"), names=("age",)),
    Fault(
        title="score 0.3 in all rows",
        plant=changed("score", lambda old, _: [0.3] * len(old)),
        names=("answers", "constant|the same", "0.3"),
    ),
    Fault(
        title="score inverted",
        plant=changed("score", lambda old, _: 1.0 - old),
        names=("labels contradict|error rate|wrong|inverted|answers reversed",),
    ),
    Fault(
        title="score times 0.7",
        plant=changed("score", lambda old, _: 0.7 * old),
        names=("more frequent|overconfident|too low",),
    ),
    Fault(
        title="score in percent",
        plant=changed("score", lambda old, _: 100.0 * old),
        names=("score|answers", "unusable|range|percent"),
    ),
    Fault(
        title="15 % of labels flipped", plant=lambda rows, rng: flipped(rows, rng, 0.15), names=("error rate|brier",)
    ),
    Fault(
        title="labels flipped where branch = shop",
        plant=lambda rows, rng: flipped(rows, rng, 0.5, "branch == 'shop'"),
        names=("error rate|brier", "shop"),
    ),
    Fault(title="no labels", plant=lambda rows, _: lost(rows, "label >= 0"), names=("label", "no|stopped")),
    Fault(title="labels of class 1 lost", plant=lambda rows, _: lost(rows, "label == 1"), names=("label", "class")),
    Fault(
        title="a fifth of the rows",
        plant=lambda rows, _: rows.iloc[::5].reset_index(drop=True),
        names=("traffic|rows",),
    ),
    Fault(title="12 % of income missing", plant=changed("income", some(0.12, None)), names=("missing", "income")),
    Fault(
        title="income missing where branch = web",
        plant=changed("income", lambda old, _: [None] * len(old), "branch == 'web'"),
        names=("missing", "income", "web"),
    ),
    Fault(
        title="30 % of income missing on each second day",
        plant=each(2, changed("income", some(0.3, None))),
        names=("missing", "income"),
    ),
    Fault(title="a fifth of age is 999", plant=changed("age", some(0.2, 999)), names=("age",)),
    Fault(title="a fifth of age is -1", plant=changed("age", some(0.2, -1)), names=("age",)),
    Fault(
        title="income is 0 in all rows", plant=changed("income", lambda old, _: [0.0] * len(old)), names=("income", "0")
    ),
    Fault(title="income is 0 in a quarter", plant=changed("income", some(0.25, 0.0)), names=("income",)),
    Fault(title="visits counted from 1 on", plant=changed("visits", lambda old, _: old + 1), names=("visits",)),
    Fault(
        title="income times 12 where branch = agent",
        plant=changed("income", lambda old, _: old * 12, "branch == 'agent'"),
        names=("income", "agent"),
    ),
    Fault(
        title="income as text with commas",
        plant=changed("income", lambda old, _: [f"{value:,.2f}" for value in old]),
        names=("income", "type|text|number"),
    ),
    Fault(
        title="income times 100 and age in months",
        plant=_both(changed("income", lambda old, _: old * 100), changed("age", lambda old, _: old * 12)),
        names=("income", "age"),
    ),
    Fault(
        title="income times 100 and no labels of class 1",
        plant=_both(changed("income", lambda old, _: old * 100), lambda rows, _: lost(rows, "label == 1")),
        names=("income",),
    ),
    Fault(
        title="region is north and score is 0.3 in all rows",
        plant=_both(
            changed("region", lambda old, _: ["north"] * len(old)), changed("score", lambda old, _: [0.3] * len(old))
        ),
        names=("region", "north"),
    ),
    Fault(
        title="income of the day before",
        plant=_first_day_again(("income",)),
        names=("income", "window before|same values"),
    ),
    Fault(
        title="all inputs of the day before",
        plant=_first_day_again(("age", "income", "visits", "branch", "region", "score")),
        names=("window before|same values",),
    ),
    Fault(title="each row three times under new ids", plant=_copied(3), names=("3 times|copied",)),
    Fault(
        title="PHONE in capitals",
        plant=changed("branch", lambda old, _: old.replace("phone", "PHONE")),
        names=("phone", "renamed"),
    ),
    Fault(
        title="branch and region in capitals",
        plant=_both(
            changed("branch", lambda old, _: old.str.upper()), changed("region", lambda old, _: old.str.upper())
        ),
        names=("branch", "region", "renamed"),
    ),
    Fault(title="10 % of branch kiosk", plant=changed("branch", some(0.1, "kiosk")), names=("branch", "kiosk")),
    Fault(
        title="south became north",
        plant=changed("region", lambda old, _: old.replace("south", "north")),
        names=("region", "south|north"),
    ),
    Fault(title="no rows of branch = agent", plant=without("branch == 'agent'"), names=("agent|rows",)),
    Fault(title="no rows of branch = web", plant=without("branch == 'web'"), names=("web|rows",)),
    Fault(title="30 % of scores missing", plant=changed("score", some(0.3, None)), names=("answers|score",)),
    Fault(
        title="score 0.5 where branch = shop",
        plant=changed("score", lambda old, _: [0.5] * len(old), "branch == 'shop'"),
        names=("answers|score|error rate|probabilit", "shop"),
    ),
    Fault(
        title="score 0.3 in all rows of each third day",
        plant=each(3, changed("score", lambda old, _: [0.3] * len(old))),
        names=("answers", "constant|the same"),
    ),
    Fault(
        title="score plus 0.2",
        plant=changed("score", lambda old, _: np.minimum(old + 0.2, 0.99)),
        names=("less frequent|probabilit|too high",),
    ),
    Fault(title="all labels 1", plant=changed("label", lambda old, _: [1] * len(old)), names=("label",)),
    Fault(title="labels of other rows", plant=shuffled("label"), names=("label|error rate",)),
    Fault(title="labels five days late", plant=_late, names=("label",)),
    Fault(title="labels of half of the rows", plant=changed("label", some(0.5, None)), names=("label",)),
    Fault(
        title="labels only where the score is above 0.5",
        plant=lambda rows, _: lost(rows, "score <= 0.5"),
        names=("label",),
    ),
    Fault(
        title="labels flipped where age < 30",
        plant=lambda rows, rng: flipped(rows, rng, 0.7, "age < 30"),
        names=("error rate|brier",),
    ),
    Fault(
        title="labels flipped where branch = web and region = west",
        plant=lambda rows, rng: flipped(rows, rng, 0.8, "branch == 'web' and region == 'west'"),
        names=("error rate|brier",),
    ),
    Fault(title="five points more wrong each day", plant=_more_wrong, names=("error rate|brier",)),
    Fault(
        title="no rows on each second day",
        plant=each(2, lambda rows, _: rows.iloc[:0]),
        names=("rows", "no|fewer|arrived"),
    ),
    Fault(title="nothing", plant=lambda rows, _: rows, names=()),
)
