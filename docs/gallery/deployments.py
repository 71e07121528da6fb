"""Deployments of the gallery: simple models of the built-in data sets, as tables of references and of live rows."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from io import BytesIO
from typing import Any

import numpy as np
import pandas as pd
from PIL import Image

DATA = files("pitfalls_tf.data")


@dataclass(frozen=True)
class Deployment:
    """What is watched: rows until `split` are the reference, and the later ones are live.

    Attributes:
        table: Gives the rows, in order of time.
        split: When the live rows begin, ISO 8601.
        watched: Arguments of `Monitor.from_reference`.
        settings: Settings of `monitor.toml`, by section.
        faults: Faults of a drill on the live rows; none: no drill.
    """

    table: Callable[[], pd.DataFrame]
    split: str
    watched: dict[str, Any]
    settings: dict[str, Any] = field(default_factory=dict)
    faults: tuple[str, ...] = ()


@cache
def flights() -> pd.DataFrame:
    """Every tenth flight that left New York in 2013, with the share of late ones of its carrier and hour in January."""
    raw = pd.read_parquet(str(DATA / "nycflights13_flights.parquet")).dropna(subset=["arr_delay"])
    day = pd.to_datetime(raw[["year", "month", "day"]])
    table = pd.DataFrame(
        {
            "time": day + pd.to_timedelta(raw["hour"], unit="h"),
            "carrier": raw["carrier"],
            "origin": raw["origin"],
            "dest": raw["dest"],
            "hour": raw["hour"].astype(float),
            "distance": raw["distance"].astype(float),
            "departed_late": raw["dep_delay"].astype(float),
            "delay": raw["arr_delay"].astype(float),
            "late": np.where(raw["arr_delay"] > 15, "late", "on time"),
        }
    ).sort_values("time", ignore_index=True)[::10]
    january = table[table["time"] < "2013-02-01"]
    is_late = january["late"].eq("late")
    counts = is_late.groupby([january["carrier"], january["hour"]]).agg(["sum", "count"])
    score = ((counts["sum"] + 20 * is_late.mean()) / (counts["count"] + 20)).rename("score")
    table = table.join(score, on=["carrier", "hour"]).fillna({"score": is_late.mean()})
    table["expected_delay"] = table["carrier"].map(january.groupby("carrier")["delay"].mean()).fillna(0.0)
    table["most_delay"] = table["carrier"].map(january.groupby("carrier")["delay"].quantile(0.9)).fillna(40.0)
    return table[(table["time"] >= "2013-02-01") & (table["time"] < "2013-09-01")].reset_index(drop=True)


def columns(table: pd.DataFrame, *names: str) -> pd.DataFrame:
    """Some columns of a table and its time."""
    return table[["time", *names]]


def lateness() -> pd.DataFrame:
    """Will the flight be more than 15 minutes late?"""
    return columns(flights(), "carrier", "origin", "hour", "distance", "score", "late")


def in_kilometres() -> pd.DataFrame:
    """The same flights, with distances in kilometres instead of miles from 3 June on: a fault that is planted."""
    table = lateness()
    changed = table["time"] >= "2013-06-03"
    return table.assign(distance=table["distance"].where(~changed, table["distance"] * 1.609))


def delays() -> pd.DataFrame:
    """How late is the flight, in minutes: the carrier's mean in January."""
    return columns(flights(), "carrier", "origin", "hour", "expected_delay", "delay")


def after_departure() -> pd.DataFrame:
    """How late is the flight, once it has left: as late as it left."""
    return columns(flights(), "carrier", "origin", "distance", "departed_late", "delay")


def late_at_most() -> pd.DataFrame:
    """How late is the flight at most, in nine of ten cases: the carrier's quantile in January."""
    return columns(flights(), "carrier", "origin", "hour", "most_delay", "delay")


def destinations() -> pd.DataFrame:
    """Where does the flight go: the carrier's eight commonest destinations in February, as a list."""
    table = columns(flights(), "carrier", "origin", "hour", "dest")
    february = table[table["time"] < "2013-03-01"]
    common = february.groupby(["carrier", "origin"])["dest"].agg(lambda part: list(part.value_counts().index[:8]))
    table = table[table["time"] >= "2013-03-01"].join(common.rename("answered"), on=["carrier", "origin"])
    return table.dropna(subset=["answered"]).reset_index(drop=True)


def airports() -> pd.DataFrame:
    """At which of three airports is a quarter of an hour's flights late: by the hour of the day in February."""
    raw = pd.read_parquet(str(DATA / "nycflights13_flights.parquet")).dropna(subset=["arr_delay"])
    time = pd.to_datetime(raw[["year", "month", "day"]]) + pd.to_timedelta(raw["hour"], unit="h")
    late = (raw["arr_delay"] > 15).groupby([time.rename("time"), raw["origin"]]).mean().unstack().fillna(0.0) > 0.25
    table = late.astype(int).reset_index()
    table["hour"] = table["time"].dt.hour.astype(float)
    table["weekday"] = table["time"].dt.day_name()
    february = table[table["time"] < "2013-03-01"]
    for name in ("EWR", "JFK", "LGA"):
        rate = february.groupby("hour")[name].mean()
        table[f"p_{name}"] = table["hour"].map(rate).fillna(february[name].mean()).clip(0.02, 0.98)
    return table[table["time"] >= "2013-03-01"].reset_index(drop=True)


def weather() -> pd.DataFrame:
    """The weather at three airports, hour by hour; nothing is predicted."""
    raw = pd.read_parquet(str(DATA / "nycflights13_weather.parquet"))
    time = pd.to_datetime(raw["time_hour"]).dt.tz_localize(None)
    names = ["origin", "temp", "humid", "wind_speed", "pressure", "visib"]
    return raw[names].assign(time=time)[time < pd.Timestamp("2013-09-01")].sort_values("time", ignore_index=True)


@cache
def captures() -> pd.DataFrame:
    """Rodents caught near Portal, with the probability of seven species by a Gaussian of weight and foot each."""
    raw = pd.read_csv(str(DATA / "portal_rodents_ratdat.csv.gz"))
    kept = raw["species_id"].isin([*SPECIES, "PB"])
    table = pd.DataFrame(
        {
            "time": pd.to_datetime(raw[["year", "month", "day"]], errors="coerce"),
            "plot": raw["plot_type"],
            "sex": raw["sex"],
            "weight": raw["weight"].astype(float),
            "foot": raw["hindfoot_length"].astype(float),
            "species": raw["species_id"],
        }
    )[kept].dropna(subset=["time", "weight", "foot"])
    table = table.sort_values("time", ignore_index=True)
    past = table[table["time"] < "1985"]
    logs = []
    for name in SPECIES:
        part = np.log(past.loc[past["species"].eq(name), ["weight", "foot"]].to_numpy())
        away = np.log(table[["weight", "foot"]].to_numpy()) - part.mean(axis=0)
        covariance = np.cov(part.T) + 1e-3 * np.eye(2)
        distance = np.einsum("ni,ij,nj->n", away, np.linalg.inv(covariance), away)
        logs.append(np.log(len(part)) - 0.5 * (distance + np.linalg.slogdet(covariance)[1]))
    odds = np.exp(np.stack(logs, axis=1) - np.max(logs, axis=0)[:, None])
    table["scores"] = list(odds / odds.sum(axis=1, keepdims=True))
    line = np.polyfit(np.log(past["foot"]), np.log(past["weight"]), 2)
    table["expected_weight"] = np.exp(np.polyval(line, np.log(table["foot"])))
    return table[table["time"] >= "1985"].reset_index(drop=True)


SPECIES = ("DM", "DO", "NL", "OT", "PF", "PP", "RM")


def which_species() -> pd.DataFrame:
    """Which species is it? *Chaetodipus baileyi*, PB, is caught from 1995 on, and no class of the model."""
    return columns(captures(), "plot", "sex", "weight", "foot", "scores", "species")


def weights() -> pd.DataFrame:
    """What does it weigh, by the length of its foot?"""
    return columns(captures(), "plot", "sex", "foot", "expected_weight", "weight")


def digits() -> pd.DataFrame:
    """Which digit is it? Answers are by the nearest mean image; fonts replace handwriting later."""
    data = np.load(str(DATA / "digits_3domains_28px.npz"))
    rng = np.random.default_rng(0)
    written, printed = rng.permutation(5_000), rng.permutation(1_380)
    images = np.concatenate([data["mnist_X"][written], data["font_X"][printed]])
    labels = np.concatenate([data["mnist_y"][written], data["font_y"][printed]])
    return _pictures(images, labels, first=1_000, a_day=60)


def letters() -> pd.DataFrame:
    """Which capital letter is it? Answers are by the nearest mean image; families come in the order of their names."""
    data = np.load(str(DATA / "letters_240families_20px.npz"))
    capital = data["lower"] == 0
    pixels, labels = data["pixels"][capital], data["letter"][capital]
    letter = np.array(list("ABCDEFGHIJKLMNOPQRSTUVWXYZ"))[labels % 26]
    table = _pictures(pixels, letter, first=2_000, a_day=100)
    names = data["families"][data["family"][capital]]
    return table.assign(family=names[2_000:])


def _pictures(images: Any, labels: Any, *, first: int, a_day: int) -> pd.DataFrame:
    """Rows of images as PNG, each answered by the class whose mean of the `first` images is the nearest."""
    flat = images.reshape(len(images), -1).astype(float)
    classes = np.unique(labels[:first])
    means = np.stack([flat[:first][labels[:first] == name].mean(axis=0) for name in classes])
    away = ((flat[:, None] - means) ** 2).sum(axis=2)
    odds = np.exp(-(away - away.min(axis=1, keepdims=True)) / np.median(away.min(axis=1)) * 4)
    days = pd.Timestamp("2026-01-01") + pd.to_timedelta(np.arange(len(flat) - first) // a_day, unit="D")
    table = pd.DataFrame({"time": days + pd.Timedelta(hours=12), "label": [str(name) for name in labels[first:]]})
    table["picture"] = [_png(image) for image in images[first:]]
    table["scores"] = list((odds / odds.sum(axis=1, keepdims=True))[first:])
    return table


def _png(image: Any) -> bytes:
    file = BytesIO()
    Image.fromarray(image).save(file, format="PNG")
    return file.getvalue()


_NEW_YORK = {"event_time": "time", "timezone": "America/New_York", "naive_timezone": "America/New_York"}
_LATE = {**_NEW_YORK, "scores": "score", "label": "late", "classes": ("on time", "late")}

DEPLOYMENTS: dict[str, Deployment] = {
    "flights-late": Deployment(
        lateness, "2013-04-01", {**_LATE, "slices": ["origin"]}, faults=("labels-stop", "unit", "silence", "time-zone")
    ),
    "flights-kilometres": Deployment(in_kilometres, "2013-04-01", _LATE),
    "flights-cost": Deployment(lateness, "2013-04-01", _LATE, settings={"cost": {"matrix": [[0.0, 1.0], [10.0, 0.0]]}}),
    "flights-delay": Deployment(
        delays, "2013-04-01", {**_NEW_YORK, "predicted": "expected_delay", "label": "delay", "slices": ["origin"]}
    ),
    "flights-in-the-air": Deployment(
        after_departure, "2013-04-01", {**_NEW_YORK, "predicted": "departed_late", "label": "delay"}
    ),
    "flights-at-most": Deployment(
        late_at_most, "2013-04-01", {**_NEW_YORK, "predicted": "most_delay", "label": "delay", "quantile": 0.9}
    ),
    "flights-destination": Deployment(
        destinations, "2013-05-01", {**_NEW_YORK, "predicted": "answered", "label": "dest", "task": "ranking"}
    ),
    "flights-airports": Deployment(
        airports,
        "2013-05-01",
        {
            **_NEW_YORK,
            "scores": ["p_EWR", "p_JFK", "p_LGA"],
            "label_columns": ["EWR", "JFK", "LGA"],
            "classes": ("EWR", "JFK", "LGA"),
            "every": "7d",
        },
    ),
    "weather": Deployment(weather, "2013-05-01", {**_NEW_YORK, "task": "inputs"}),
    "rodents-species": Deployment(
        which_species,
        "1992",
        {
            "event_time": "time",
            "timezone": "America/Phoenix",
            "scores": "scores",
            "label": "species",
            "classes": SPECIES,
            "rows": 300,
            "slices": ["plot"],
        },
    ),
    "rodents-weight": Deployment(
        weights,
        "1992",
        {
            "event_time": "time",
            "timezone": "America/Phoenix",
            "predicted": "expected_weight",
            "label": "weight",
            "rows": 300,
        },
    ),
    "digits": Deployment(
        digits,
        "2026-02-05",
        {"event_time": "time", "scores": "scores", "label": "label", "classes": tuple("0123456789")},
        settings={"windows": {"min_rows": 60}},
    ),
    "letters": Deployment(
        letters,
        "2026-02-20",
        {
            "event_time": "time",
            "scores": "scores",
            "label": "label",
            "classes": tuple("ABCDEFGHIJKLMNOPQRSTUVWXYZ"),
            "ignore": ["family"],
        },
        settings={"windows": {"min_rows": 100}},
    ),
}
