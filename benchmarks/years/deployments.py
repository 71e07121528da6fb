"""Five public records over years as deployments: inputs, labels and when labels come, in order of time."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from datetime import date, timedelta
from itertools import groupby
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

DATA = Path(__file__).parent / "data"

#: A rating of a team that has not played yet, the points that a match moves, and what playing at home is worth.
FIRST_RATING, RATING_STEP, HOME_POINTS = 1400.0, 24.0, 65.0

#: Former matches that a team's form is the mean of.
FORM = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class YearsDeployment:
    """A table with the years that its model, the reference and the live windows have.

    Attributes:
        rows: Gives the rows in order of time: `time`, `label_time`, `label`, and the inputs.
        reference, live: Dates from which rows are the reference, and live; rows before them train the model.
        labels: When labels come, in words.
        epochs: Passes of the training over its rows.
    """

    name: str
    title: str
    rows: Callable[[], pd.DataFrame]
    reference: str
    live: str
    labels: str
    epochs: int = 8

    @property
    def first_week(self) -> date:
        """The Monday of the first live week, from which weeks are counted: it is week 1."""
        live = date.fromisoformat(self.live)
        return live - timedelta(days=live.weekday())


def uses_of_force() -> pd.DataFrame:
    """Was the force bodily? Of each use of force of a city's police."""
    raw = pd.read_parquet(DATA / "police_force.parquet")
    text = {name: raw[name].str.strip() for name in ("problem", "primary_offense", "race", "sex", "type_resistance")}
    return pd.DataFrame(
        {
            "time": raw["time"],
            "label_time": raw["time"] + pd.Timedelta(days=14),
            "label": np.where(raw["force_type"] == "Bodily Force", "bodily", "other"),
            **text,
            "is_911_call": raw["is_911_call"],
            "age": raw["age"],
            "precinct": raw["precinct"].astype(str),
            "hour": raw["time"].dt.hour,
        }
    )


def bird_strikes() -> pd.DataFrame:
    """Did the strike have an effect on the flight? Of each strike of birds by an aircraft."""
    raw = pd.read_parquet(DATA / "bird_strikes.parquet")
    named = ("phase_of_flt", "time_of_day", "state", "sky", "species", "birds_struck")
    numbers = ("ac_mass", "num_engs", "height", "speed")
    return pd.DataFrame(
        {
            "time": raw["date"],
            "label_time": raw["date"] + pd.Timedelta(days=30),
            "label": np.where(raw["effect"].fillna("None") == "None", "none", "effect"),
            **{name: raw[name] for name in (*named, *numbers)},
        }
    )


def football() -> pd.DataFrame:
    """Does the home team win? From the results of all matches before."""
    raw = pd.read_parquet(DATA / "bundesliga.parquet").dropna(subset=["time"])
    raw = raw.sort_values("time", kind="stable", ignore_index=True)
    rating: defaultdict[str, float] = defaultdict(lambda: FIRST_RATING)
    points: defaultdict[tuple[str, str], list[float]] = defaultdict(list)
    rows = []
    matches: list[Any] = list(raw.itertuples())
    for _, same_time in groupby(matches, key=lambda match: match.time):
        together = list(same_time)
        rows += [_match_inputs(match, rating, points) for match in together]
        for match in together:
            score = 0.5 + 0.5 * float(np.sign(match.home_goals - match.away_goals))
            ahead = rating[match.home_team] + HOME_POINTS - rating[match.away_team]
            moved = RATING_STEP * (score - 1.0 / (1.0 + 10.0 ** (-ahead / 400.0)))
            rating[match.home_team] += moved
            rating[match.away_team] -= moved
            points[match.home_team, "home"].append(score)
            points[match.away_team, "away"].append(1.0 - score)
    inputs = pd.DataFrame(rows)
    label = np.where(raw["home_goals"] > raw["away_goals"], "won", "not won")
    known = raw["time"] + pd.Timedelta(hours=2)
    return pd.DataFrame({"time": raw["time"], "label_time": known, "label": label}).join(inputs)


def _match_inputs(match: Any, rating: dict[str, float], points: dict[tuple[str, str], list[float]]) -> dict[str, float]:
    form = {
        place: float(np.mean(points[team, place][-FORM:] or [0.5]))
        for team, place in ((match.home_team, "home"), (match.away_team, "away"))
    }
    home, away = rating[match.home_team], rating[match.away_team]
    return {
        "rating_ahead": home - away,
        "home_rating": home,
        "home_form": form["home"],
        "away_form": form["away"],
        "round": float(match.round),
        "hour": float(match.time.hour),
    }


def storms() -> pd.DataFrame:
    """What is the storm now: one of nine classes, of each six hours of each storm of the Atlantic."""
    raw = pd.read_parquet(DATA / "storms.parquet")
    storm = raw.groupby([raw["name"], raw["time"].dt.year])
    return pd.DataFrame(
        {
            "time": raw["time"],
            "label_time": raw["time"] + pd.Timedelta(days=1),
            "label": raw["status"],
            "lat": raw["lat"],
            "long": raw["long"],
            "wind": raw["wind"].astype(float),
            "pressure": raw["pressure"].astype(float),
            "north": storm["lat"].diff().fillna(0.0),
            "east": storm["long"].diff().fillna(0.0),
            "month": raw["time"].dt.month,
        }
    )


def rides() -> pd.DataFrame:
    """Will a station have more rides than two weeks before? Of each day, by rides, calendar, weather, matches."""
    raw = pd.read_parquet(DATA / "chicago_ridership.parquet").sort_values("date", ignore_index=True)
    matches = [name for name in map(str, raw.columns) if name.endswith("_Home")]
    return pd.DataFrame(
        {
            "time": raw["date"] + pd.Timedelta(hours=6),
            "label_time": raw["date"] + pd.Timedelta(days=1),
            "label": np.where(raw["ridership"] > raw["ridership"].shift(14), "more", "not more"),
            "two_weeks_before": raw["ridership"].shift(14),
            "change_before": raw["ridership"].shift(14) - raw["ridership"].shift(21),
            "last_known": raw["ridership"].shift(7) - raw["ridership"].shift(14),
            "weekday": raw["date"].dt.day_name(),
            "month": raw["date"].dt.month,
            **{name: raw[name] for name in ("temp", "humidity", "wind", "percip", "weather_rain", "weather_snow")},
            **{name.lower(): (raw[name] > 0).astype(float) for name in matches},
        }
    )[21:].reset_index(drop=True)


DEPLOYMENTS = (
    YearsDeployment(
        name="force",
        title="uses of force",
        rows=uses_of_force,
        reference="2017-01-01",
        live="2018-07-01",
        labels="14 days later (stated)",
    ),
    YearsDeployment(
        name="birds",
        title="bird strikes",
        rows=bird_strikes,
        reference="1992-01-01",
        live="1994-07-01",
        labels="30 days later (stated)",
    ),
    YearsDeployment(
        name="football",
        title="football",
        rows=football,
        reference="1975-07-01",
        live="1985-07-01",
        labels="two hours later (real)",
    ),
    YearsDeployment(
        name="storms",
        title="storms",
        rows=storms,
        reference="1988-01-01",
        live="2000-01-01",
        labels="a day later (stated)",
        epochs=40,
    ),
    YearsDeployment(
        name="rides",
        title="a station's rides",
        rows=rides,
        reference="2005-01-01",
        live="2009-01-01",
        labels="the day after (real)",
    ),
)
