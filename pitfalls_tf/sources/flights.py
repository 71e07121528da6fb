"""Flights that left New York in 2013: will this one arrive more than 15 minutes late?

Three airports times twelve months are the domains. Every feature is known when the flight is scheduled to depart: the
timetable, the carrier, the route and the weather at the airport in that hour. Data and licences:
`pitfalls_tf/data/PROVENANCE.md`.
"""

from __future__ import annotations

from datetime import UTC, datetime
from importlib.resources import as_file, files
from typing import Final
from zoneinfo import ZoneInfo

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from pitfalls_tf.rows.table import Feature, Table

NAME: Final = "flights"
CLASSES: Final = ("on_time", "late")
ZONE: Final = "America/New_York"
AIRPORTS: Final = ("EWR", "JFK", "LGA")
WEEKDAYS: Final = ("monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday")

LATE_AFTER: Final = 15  # minutes behind the scheduled arrival
RECORD_DELAY: Final = 1  # minutes from the end of the flight to its record, see PROVENANCE.md

WEATHER: Final = (
    Feature(name="temp", kind="number", meaning="air temperature, °F"),
    Feature(name="dewp", kind="number", meaning="dew point, °F"),
    Feature(name="humid", kind="number", meaning="relative humidity, %"),
    Feature(name="wind_dir", kind="number", meaning="direction the wind comes from, degrees"),
    Feature(name="wind_speed", kind="number", meaning="wind speed, mph"),
    Feature(name="wind_gust", kind="number", meaning="gust speed, mph; missing when there are no gusts"),
    Feature(name="precip", kind="number", meaning="precipitation, inches in the hour"),
    Feature(name="pressure", kind="number", meaning="sea level pressure, millibars"),
    Feature(name="visib", kind="number", meaning="visibility, miles"),
)
FEATURES: Final = (
    Feature(name="departure_minute", kind="number", meaning="scheduled departure, minutes after local midnight"),
    Feature(name="arrival_minute", kind="number", meaning="scheduled arrival, minutes after midnight there"),
    Feature(name="weekday", kind="category", meaning="day of the week of the scheduled departure in New York"),
    Feature(name="carrier", kind="category", meaning="two-letter code of the airline"),
    Feature(name="origin", kind="category", meaning="airport of departure: EWR, JFK or LGA"),
    Feature(name="dest", kind="category", meaning="airport of destination"),
    Feature(name="distance", kind="number", meaning="distance between the airports, miles"),
    *WEATHER,
)

_MICROSECONDS: Final = pa.timestamp("us", tz="UTC")


def load() -> Table:
    """Load all flights. Returns 336,776 rows in order of scheduled departure.

    Cost: about half a second and 100 MB.

    >>> table = load()
    >>> len(table), table.classes
    (336776, ('on_time', 'late'))
    >>> table.rows["event_time"][0].as_py().isoformat()
    '2013-01-01T10:15:00+00:00'
    """
    flights = _read("nycflights13_flights.parquet")
    departure = _minutes(flights["sched_dep_time"])
    days = _days(flights)
    event_time = _utc_minutes(days, departure)

    columns: dict[str, pa.Array] = {
        "row_id": pa.array(np.arange(len(days), dtype=np.int64)),
        "event_time": _timestamps(event_time),
        "departure_minute": pa.array(departure.astype(np.float32)),
        "arrival_minute": pa.array(_minutes(flights["sched_arr_time"]).astype(np.float32)),
        # The Unix epoch was a Thursday, three days into a week that starts on Monday.
        "weekday": pa.array(np.array(WEEKDAYS, dtype=object)[(days.astype(np.int64) + 3) % 7], type=pa.string()),
        "distance": pa.array(flights["distance"].to_numpy().astype(np.float32)),
    }
    for name in ("carrier", "origin", "dest"):
        columns[name] = flights[name].combine_chunks().cast(pa.string())
    columns |= _weather(columns["origin"], event_time)
    columns |= _labels(flights, event_time)

    order = np.argsort(event_time, kind="stable")
    names = ("row_id", "event_time", *(feature.name for feature in FEATURES), "label", "label_time")
    months = np.char.add("/", days.astype("datetime64[M]").astype(str)).astype(object)
    table = Table(
        source=NAME,
        rows=pa.table({name: columns[name] for name in names}),
        days=pa.array(days),
        domains=pc.binary_join_element_wise(columns["origin"], pa.array(months, type=pa.string()), ""),
        features=FEATURES,
        classes=CLASSES,
    )
    return table.take(order)


def _read(name: str) -> pa.Table:
    with as_file(files("pitfalls_tf.data") / name) as path:
        return pq.read_table(path)


def _minutes(clock: pa.ChunkedArray) -> npt.NDArray[np.int64]:
    """Clock readings such as 1745 as minutes after midnight."""
    reading = clock.to_numpy().astype(np.int64)
    minutes: npt.NDArray[np.int64] = reading // 100 * 60 + reading % 100
    return minutes


def _days(flights: pa.Table) -> npt.NDArray[np.datetime64]:
    year, month, day = (flights[name].to_numpy().astype(np.int64) for name in ("year", "month", "day"))
    months = ((year - 1970) * 12 + month - 1).astype("datetime64[M]")
    days: npt.NDArray[np.datetime64] = months.astype("datetime64[D]") + (day - 1)
    return days


def _utc_minutes(days: npt.NDArray[np.datetime64], minutes: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Convert New York wall-clock times. Returns minutes since the epoch, UTC, int64 [rows].

    Args:
        days: of the flights, datetime64[D].

    Offsets are computed once per distinct hour of the year. No flight is scheduled in the hour that the clock change
    repeats or skips.
    """
    zone = ZoneInfo(ZONE)
    local = days.astype("datetime64[m]").astype(np.int64) + minutes
    hours, inverse = np.unique(local // 60, return_inverse=True)
    offsets = np.array([_offset_minutes(int(hour), zone) for hour in hours], dtype=np.int64)
    utc: npt.NDArray[np.int64] = local - offsets[inverse]
    return utc


def _offset_minutes(hour: int, zone: ZoneInfo) -> int:
    wall_clock = datetime.fromtimestamp(hour * 3600, tz=UTC).replace(tzinfo=zone)
    offset = wall_clock.utcoffset()
    assert offset is not None  # noqa: S101 - for the type checker: a ZoneInfo always has one
    return int(offset.total_seconds()) // 60


def _timestamps(minutes: npt.NDArray[np.int64], valid: npt.NDArray[np.bool_] | None = None) -> pa.Array:
    missing = None if valid is None else ~valid
    return pa.array(minutes * 60_000_000, type=pa.int64(), mask=missing).cast(_MICROSECONDS)


def _weather(origin: pa.Array, event_time: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    """The report of each flight's airport for the UTC hour of its scheduled departure, NaN where there is none."""
    reports = _read("nycflights13_weather.parquet")
    hours = np.array(reports["time_hour"].to_pylist(), dtype="U19").astype("datetime64[h]").astype(np.int64)
    first, span = hours.min(), int(hours.max() - hours.min()) + 1
    airports = pa.array(AIRPORTS)

    report_at = np.full((len(AIRPORTS), span), -1, dtype=np.int64)
    report_at[_position(reports["origin"].combine_chunks(), airports), hours - first] = np.arange(len(hours))

    hour = event_time // 60 - first
    inside = (hour >= 0) & (hour < span)
    report_rows = np.where(inside, report_at[_position(origin, airports), np.clip(hour, 0, span - 1)], -1)
    columns = {}
    for feature in WEATHER:
        values = reports[feature.name].to_numpy().astype(np.float32)
        columns[feature.name] = pa.array(
            np.where(report_rows >= 0, values[report_rows], np.float32(np.nan)), from_pandas=False
        )
    return columns


def _position(values: pa.Array, among: pa.Array) -> npt.NDArray[np.int64]:
    places = pc.index_in(values.cast(pa.string()), value_set=among)
    positions: npt.NDArray[np.int64] = places.to_numpy().astype(np.int64)
    return positions


def _labels(flights: pa.Table, event_time: npt.NDArray[np.int64]) -> dict[str, pa.Array]:
    arrived = flights["arr_delay"].is_valid().to_numpy()
    delay, departed, in_air = (
        pc.fill_null(flights[name], 0).to_numpy().astype(np.int64) for name in ("arr_delay", "dep_delay", "air_time")
    )
    names = np.array(CLASSES, dtype=object)[(delay > LATE_AFTER).astype(np.int64)]
    return {
        "label": pa.array(names, type=pa.string(), mask=~arrived),
        "label_time": _timestamps(event_time + departed + in_air + RECORD_DELAY, arrived),
    }
