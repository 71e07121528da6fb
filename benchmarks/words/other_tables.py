"""A table of a predicted price and one of three classes, and the faults that are planted in their last days."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import numpy as np
import pandas as pd

from benchmarks.words.faults import FAULTS, ROWS, Fault, Plant, changed, made_rows, shuffled, some, without
from benchmarks.words.later_faults import LATER


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """A table of daily predictions: its rows, what its owner says of its columns, and the faults planted in it.

    Attributes:
        title: Begins the title of each fault; empty of the first table.
        made: Rows of some days from a seed.
        own: Arguments of `described`.
    """

    title: str
    made: Callable[[datetime, int, int], pd.DataFrame]
    own: dict[str, Any]
    faults: tuple[Fault, ...]


_COLUMNS = {"event_time": "at", "label": "label", "label_time": "known_at", "prediction_id": "id"}
_CLASSES = ("late", "lost", "fine")
_SCORES = tuple(f"p_{name}" for name in _CLASSES)


def _dated(first: datetime, days: int, rng: np.random.Generator) -> pd.DataFrame:
    count = days * ROWS
    at = np.repeat(np.arange(days) * 86_400.0, ROWS) + rng.uniform(0.0, 86_000.0, count)
    frame = pd.DataFrame({"id": [f"{first:%y%m%d}-{number}" for number in range(count)]})
    frame["at"] = pd.Timestamp(first) + pd.to_timedelta(np.round(at), unit="s")
    return frame.assign(known_at=frame["at"] + timedelta(hours=2))


def price_rows(first: datetime, days: int, seed: int) -> pd.DataFrame:
    """Flats: area, year and town, the price that a model predicts, and what was paid, in whole hundreds."""
    rng = np.random.default_rng(seed)
    frame = _dated(first, days, rng)
    count = len(frame)
    frame["area"] = np.round(rng.gamma(4.0, 25.0, count), 1)
    frame["built"] = rng.integers(1900, 2024, count)
    frame["town"] = rng.choice(["Ulm", "Bonn", "Kiel"], count, p=[0.5, 0.3, 0.2])
    level = frame["town"].map({"Ulm": 1.0, "Bonn": 1.2, "Kiel": 0.9})
    price = 3_000.0 * frame["area"] * (1.0 + (frame["built"] - 1960) / 400.0) * level
    frame["predicted"] = np.round(price * np.exp(rng.normal(0.0, 0.05, count)), -2)
    frame["label"] = np.round(price * np.exp(rng.normal(0.0, 0.15, count)), -2)
    return frame.sort_values("at", ignore_index=True)


def parcel_rows(first: datetime, days: int, seed: int) -> pd.DataFrame:
    """Parcels: weight, stops and depot, the probabilities that a calibrated model states, and what became of them."""
    rng = np.random.default_rng(seed)
    frame = _dated(first, days, rng)
    count = len(frame)
    frame["weight"] = np.round(rng.lognormal(1.0, 0.6, count), 2)
    frame["stops"] = rng.poisson(3.0, count)
    frame["depot"] = rng.choice(["east", "west", "port"], count, p=[0.5, 0.3, 0.2])
    odds = np.stack(
        [
            1.4 * (np.log(frame["weight"]) - 1.0),
            0.5 * (frame["stops"] - 3) + (frame["depot"] == "port"),
            0.8 - (frame["depot"] == "west"),
        ],
        axis=1,
    )
    chances = np.exp(odds) / np.exp(odds).sum(axis=1, keepdims=True)
    for place, name in enumerate(_SCORES):
        frame[name] = chances[:, place]
    drawn = (rng.random(count)[:, None] > chances.cumsum(axis=1)).sum(axis=1).clip(0, 2)
    frame["label"] = np.array(_CLASSES, dtype=object)[drawn]
    return frame.sort_values("at", ignore_index=True)


def _mixed(share: float, where: str = "") -> Plant:
    """The labels of a share of the rows of a query are those of other rows."""

    def planted(rows: pd.DataFrame, rng: np.random.Generator) -> pd.DataFrame:
        hit = rng.random(len(rows)) < share
        if where:
            hit &= np.isin(rows["id"], rows.query(where)["id"])
        return rows.assign(label=np.where(hit, rng.permutation(rows["label"].to_numpy()), rows["label"]))

    return planted


def _sharpened(rows: pd.DataFrame, _rng: np.random.Generator) -> pd.DataFrame:
    cubes = rows[list(_SCORES)] ** 3
    return rows.assign(**cubes.div(cubes.sum(axis=1), axis=0))


PRICES = (
    Fault(title="area in square feet", plant=changed("area", lambda old, _: old * 10.764), names=("area",)),
    Fault(
        title="area in square feet where town = Kiel",
        plant=changed("area", lambda old, _: old * 10.764, "town == 'Kiel'"),
        names=("area", "kiel"),
    ),
    Fault(
        title="predicted 20 % higher",
        plant=changed("predicted", lambda old, _: old * 1.2),
        names=("answers|predictions|bias", "above|higher|bias"),
    ),
    Fault(
        title="predicted in thousands",
        plant=changed("predicted", lambda old, _: old / 1_000.0),
        names=("answers|predictions", "below|lower|out of range"),
    ),
    Fault(
        title="predicted is 250,000 in all rows",
        plant=changed("predicted", lambda old, _: [250_000.0] * len(old)),
        names=("answers", "constant"),
    ),
    Fault(
        title="30 % of predicted missing",
        plant=changed("predicted", some(0.3, None)),
        names=("answers", "unusable|missing"),
    ),
    Fault(title="paid 25 % more", plant=changed("label", lambda old, _: old * 1.25), names=("labels", "higher")),
    Fault(title="paid in cents", plant=changed("label", lambda old, _: old * 100), names=("labels", "units?")),
    Fault(
        title="paid with more noise",
        plant=changed("label", lambda old, rng: old * np.exp(rng.normal(0.0, 0.3, len(old)))),
        names=("absolute error",),
    ),
    Fault(title="built is 0 in a fifth", plant=changed("built", some(0.2, 0)), names=("built",)),
    Fault(
        title="no labels of town = Kiel",
        plant=lambda rows, _: rows.assign(label=rows["label"].mask(rows["town"] == "Kiel")),
        names=("label", "kiel"),
    ),
    Fault(title="predictions of other rows", plant=shuffled("predicted"), names=("absolute error|do not depend",)),
    Fault(
        title="Kiel became Keil",
        plant=changed("town", lambda old, _: old.replace("Kiel", "Keil")),
        names=("kiel", "keil"),
    ),
    Fault(title="nothing", plant=lambda rows, _: rows, names=()),
)

PARCELS = (
    Fault(title="weight in grams", plant=changed("weight", lambda old, _: old * 1_000.0), names=("weight",)),
    Fault(
        title="scores of late and lost swapped",
        plant=lambda rows, _: rows.assign(p_late=rows["p_lost"], p_lost=rows["p_late"]),
        names=("late", "lost"),
    ),
    Fault(
        title="label lost is called late",
        plant=changed("label", lambda old, _: old.replace("lost", "late")),
        names=("labels", "late|lost"),
    ),
    Fault(
        title="no labels lost",
        plant=lambda rows, _: rows.assign(label=rows["label"].mask(rows["label"] == "lost")),
        names=("labels", "lost"),
    ),
    Fault(title="15 % of labels of other rows", plant=_mixed(0.15), names=("error rate|brier",)),
    Fault(
        title="60 % of labels of other rows where depot = port",
        plant=_mixed(0.6, "depot == 'port'"),
        names=("error rate|brier", "port"),
    ),
    Fault(
        title="scores .3, .3, .4 in all rows",
        plant=lambda rows, _: rows.assign(p_late=0.3, p_lost=0.3, p_fine=0.4),
        names=("answers", "constant"),
    ),
    Fault(title="scores too sure", plant=_sharpened, names=("overconfident|too sure",)),
    Fault(title="stops at most 2", plant=changed("stops", lambda old, _: old.clip(upper=2)), names=("stops",)),
    Fault(title="no rows of depot = west", plant=without("depot == 'west'"), names=("depot", "west")),
    Fault(title="nothing", plant=lambda rows, _: rows, names=()),
)

WORLDS = (
    World(
        title="",
        made=made_rows,
        own={**_COLUMNS, "scores": ("score",), "slices": ("branch",)},
        faults=(*FAULTS, *LATER),
    ),
    World(
        title="a price: ",
        made=price_rows,
        own={**_COLUMNS, "predicted": "predicted", "slices": ("town",)},
        faults=PRICES,
    ),
    World(
        title="three classes: ",
        made=parcel_rows,
        own={**_COLUMNS, "scores": _SCORES, "classes": _CLASSES, "slices": ("depot",)},
        faults=PARCELS,
    ),
)
