"""Rows that a sentence may be about, and what answers and labels of them were, by code of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass

import numpy as np
import pandas as pd

NUMBER = r"\d[\d,]*(?:\.\d+)?"
#: How long the monitor waits for the labels of a row.
HORIZON = pd.Timedelta(days=7)


@dataclass(frozen=True, slots=True)
class Told:
    """Rows that a sentence may be about: the reference's, all live ones, those since its day, and the last day's."""

    start: pd.Timestamp
    reference: pd.DataFrame
    live: pd.DataFrame
    since: pd.DataFrame
    last: pd.DataFrame


def alike(told: Told, column: str) -> float:
    """The largest share of a day's values that are one value, or between two of 63 quantiles; in percent."""
    values = told.reference[column]
    if pd.api.types.is_numeric_dtype(values):
        edges = np.unique(np.quantile(values, np.linspace(0.0, 1.0, 65)[1:-1]))
        values = pd.Series(np.searchsorted(edges, values, side="right"), index=values.index)
    days = values.groupby(told.reference["at"].dt.floor("D"))
    return max(100.0 * float(day.value_counts(normalize=True).max()) for _, day in days)


def arrived(rows: pd.DataFrame) -> pd.DataFrame:
    """The rows whose label came."""
    return rows[rows["label"].notna()]


def _named(pattern: str, found: re.Match[str]) -> str:
    """The first group of a pattern in the sentence; KeyError without it, as of a table without a column."""
    named = re.search(pattern, found.string)
    if named is None:
        raise KeyError(pattern)
    return named[1]


def renamed_column(found: re.Match[str]) -> str:
    """The column of which a sentence says that a value was renamed."""
    return _named(r"of (\w+) was renamed", found)


def unusable(rows: pd.DataFrame) -> pd.Series:
    """Whether each row's answer is none: no number, or a probability beyond 0 and 1."""
    if "predicted" in rows:
        return rows["predicted"].isna()
    return ~rows["score"].astype(float).between(0.0, 1.0)


def same_answers(told: Told) -> float:
    """The most of a day's answers that can be the same, in percent: of numbers in one of 64 equal parts.

    Of several classes the share of the class whose commonest part has the fewest rows: no more can be the same in all.
    """
    rows = told.reference
    if "predicted" in rows:
        return alike(told, "predicted")
    days = rows["at"].dt.floor("D")
    columns = [rows["score"]] if "score" in rows else [column for _, column in rows.filter(regex="^p_").items()]
    parts = [(64.0 * column.astype(float)).floordiv(1.0).clip(upper=63.0).groupby(days) for column in columns]
    shares = [part.apply(lambda day: 100.0 * day.value_counts(normalize=True).max()) for part in parts]
    return float(pd.concat(shares, axis=1).min(axis=1).max())


def silence(_: re.Match[str], told: Told) -> float:
    """Whole days from the last window in which a label came to the end."""
    end = told.live["at"].max().ceil("D")
    come = arrived(told.live)["known_at"]
    return float((end - come[come < end].max().ceil("D")) / pd.Timedelta(days=1))


def lost_value(found: re.Match[str]) -> str:
    """The class of which a sentence says that no label comes."""
    return _named(r"labels of class (\w+):", found)


def run_without(found: re.Match[str], told: Told) -> float:
    """How many labels came since the window in which the class came last."""
    come = arrived(told.live)
    come = come[come["known_at"] < told.live["at"].max().ceil("D")]
    day = come["known_at"].dt.floor("D")
    last = day[come["label"].astype(str) == lost_value(found)].max()
    return float((day > last).sum())


def usual(found: re.Match[str], told: Told) -> float:
    """The share of the reference's labels that are of the lost class."""
    return float((arrived(told.reference)["label"].astype(str) == lost_value(found)).mean())


def few_days(found: re.Match[str], told: Told) -> int:
    """How many last days whose labels are waited for no more have as many rows as the sentence says."""
    rows = int(_named(rf"% of ({NUMBER}) rows", found).replace(",", ""))
    end = told.live["at"].max().ceil("D") - HORIZON
    ages = ((end - told.live["at"]) // pd.Timedelta(days=1))[told.live["at"] < end]
    counts = ages.value_counts().sort_index().cumsum()
    return int((counts <= rows).sum())


def exceeded(told: Told, values: pd.Series) -> float:
    """How many of the reference's labels one of some values exceeds on average, in percent; ties count half."""
    known = np.sort(arrived(told.reference)["label"].astype(float).to_numpy())
    numbers = values.astype(float).to_numpy()
    below, above = (np.searchsorted(known, numbers, side=side) for side in ("left", "right"))
    return 50.0 * float((below + above).mean()) / known.size


def exceeded_by_day(told: Told) -> list[float]:
    """The same of the labels of each day of the reference on which rows were answered."""
    rows = arrived(told.reference)
    days = rows.groupby(rows["known_at"].dt.floor("D"))
    return [exceeded(told, day["label"]) for start, day in days if start <= rows["at"].max()]


def stated(found: re.Match[str], rows: pd.DataFrame) -> float:
    """The mean probability of a class, in percent."""
    column = "score" if found["value"] == "1" else f"p_{found['value']}"
    return 100.0 * float(rows[column].astype(float).mean())
